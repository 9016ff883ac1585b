"""Operations of the reference model, made at the ledger; and the ledger's end states, to compare with the model's."""

from typing import Any

from tests.database.model import Dialect, Expected, Model, Operation, Player
from tests.database.world import Casino, Outcome, Seat

_STATES = """
    SELECT b.external_transaction_id AS id, CASE
        WHEN b.type = 'tombstone' THEN 'rolled back'
        WHEN EXISTS (
            SELECT FROM casino_transactions AS r
            WHERE r.tenant_id = b.tenant_id AND r.wallet_id = b.wallet_id AND r.type = 'rollback' AND r.outcome = 'OK'
                AND r.game_provider_id = b.game_provider_id AND r.reference_id = b.external_transaction_id
        ) THEN 'rolled back'
        WHEN b.outcome <> 'OK' THEN 'declined'
        WHEN EXISTS (
            SELECT FROM casino_transactions AS w
            WHERE w.tenant_id = b.tenant_id AND w.wallet_id = b.wallet_id AND w.type IN ('win', 'jackpot')
                AND w.game_provider_id = b.game_provider_id AND w.reference_id = b.external_transaction_id
                AND w.outcome = 'OK'
        ) THEN 'settled'
        ELSE 'open'
    END AS state
    FROM casino_transactions AS b
    WHERE b.tenant_id = %s AND b.wallet_id = %s AND b.type IN ('bet', 'tombstone')
"""


def perform(seat: Seat, operation: Operation) -> Outcome:
    """Make a model's operation as a call of the ledger."""
    if operation.kind == "bet":
        return seat.debit(operation.id, operation.amount, operation.round_id or "")
    if operation.kind == "rollback":
        return seat.rollback(operation.id, operation.reference or "", operation.round_id)
    return seat.credit(
        operation.id, operation.amount, operation.reference, operation.round_id or "", kind=operation.kind
    )


def states(seat: Seat) -> dict[str, str]:
    """Each bet and tombstone in the ledger of a player, and what became of it."""
    rows = seat.casino.query(_STATES, [seat.casino.tenant_id, seat.wallet_id])
    return {row.id: row.state for row in rows}


def new_model(casino: Casino, dialect: Dialect, players: int, balance: int) -> tuple[Model, list[Seat]]:
    """Make players at a game provider of that dialect, and the model of them; the model knows them as 0, 1, 2..."""
    columns: dict[str, Any] = {name: getattr(dialect, name) for name in Dialect.__slots__}
    first = casino.seat(balance=balance, **columns)
    seats = [first, *(casino.seat(caller=first.caller, balance=balance) for _ in range(players - 1))]
    return Model(dialect, {number: Player(balance) for number in range(players)}), seats


def agrees(outcome: Outcome, expected: Expected) -> bool:
    """Tell whether a call ended as the model says. A swallowed bet has an answer and no row, so is 'not stored'."""
    if (outcome.code, outcome.balance, outcome.replayed) != (expected.code, expected.balance, expected.replayed):
        return False
    return outcome.refused == (not expected.stored and expected.code != "OK") and (
        outcome.fields.get("tombstone", False) == expected.tombstone
    )
