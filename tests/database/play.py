"""Runs the reference model's operations on the ledger, and reads the ledger's states to compare them."""

from typing import Any

from tests.database.model import Dialect, Expected, Model, Operation, Player
from tests.database.world import Casino, Outcome, Seat


def perform(seat: Seat, operation: Operation) -> Outcome:
    """Run a model's operation as a call of the ledger."""
    if operation.kind == "bet":
        return seat.debit(operation.id, operation.amount, operation.round_id or "")
    if operation.kind == "rollback":
        return seat.rollback(operation.id, operation.reference or "", operation.round_id)
    return seat.credit(
        operation.id, operation.amount, operation.reference, operation.round_id or "", kind=operation.kind
    )


def states(seat: Seat) -> dict[str, str]:
    """The state of each bet and tombstone of a player in the ledger."""
    found: dict[str, str] = {}
    for row in seat.rows:
        if row.type == "tombstone":
            found[row.id] = "rolled back"
        elif row.type == "bet":
            found[row.id] = "open" if row.outcome == "OK" else "declined"
        elif row.outcome == "OK" and row.type == "rollback":
            found[row.reference_id] = "rolled back"
        elif row.outcome == "OK" and row.type in ("win", "jackpot") and row.reference_id is not None:
            found[row.reference_id] = "settled"
    return found


def new_model(casino: Casino, dialect: Dialect, players: int, balance: int) -> tuple[Model, list[Seat]]:
    """Make players at a game provider with this dialect, and their model, which numbers them 0, 1, 2, ..."""
    columns: dict[str, Any] = {name: getattr(dialect, name) for name in Dialect.__slots__}
    first = casino.seat(balance=balance, **columns)
    seats = [first, *(casino.seat(game_provider=first.game_provider, balance=balance) for _ in range(players - 1))]
    return Model(dialect, {number: Player(balance) for number in range(players)}), seats


def agrees(outcome: Outcome, expected: Expected) -> bool:
    """Whether a call ended as the model expects. A swallowed bet has an answer and no row, so it is 'not stored'."""
    if (outcome.code, outcome.balance, outcome.replayed) != (expected.code, expected.balance, expected.replayed):
        return False
    return outcome.refused == (not expected.stored and expected.code != "OK") and (
        outcome.fields.get("tombstone", False) == expected.tombstone
    )
