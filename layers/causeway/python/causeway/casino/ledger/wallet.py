"""The wallet: balance, bet, win and rollback, each of them one call of an SQL function in schema/."""

import json
from dataclasses import dataclass
from typing import Any

from causeway.casino.ledger.requests import BalanceQuery, Bet, Credit, Rollback, request_hash
from causeway.database.postgres import Database
from causeway.errors import table
from causeway.errors.casino import WalletError
from causeway.game_signing.callers import GameProvider


@dataclass(frozen=True, slots=True)
class Answer:
    """What a money call is answered, now and every time it is sent again."""

    # 'OK', or the code of a decline.
    code: str
    # The JSON text of the body.
    body: str
    replayed: bool = False


def is_game_provider(database: Database, code: str) -> bool:
    """Return whether a casino of this deployment has a game provider of that code; raises Unavailable."""
    return bool(database.one("SELECT game_provider_known_v1(%s)", [code])[0])


def balance(database: Database, caller: GameProvider, query: BalanceQuery) -> Answer:
    """Return a player's balance in minor units, in the API's names.

    Raises:
        SignatureInvalid, SessionNotFound, PlayerNotFound: the caller may not ask for it.
        WrongCurrency: the query names another currency than the wallet's.
        Unavailable: the database did not answer.
    """
    row = database.one(
        "SELECT * FROM casino_balance_v1(%s, %s, %s, %s, %s, %s)",
        [
            caller.tenant_id,
            caller.code,
            caller.bare_signature,
            query.session_token,
            query.player_id,
            query.currency,
        ],
    )
    if row.outcome != "OK":
        raise table.of_code(row.outcome)
    answer = {"userId": query.player_id, "balance": str(row.balance), "currency": row.currency}
    return Answer("OK", json.dumps(answer, separators=(",", ":")))


def debit(database: Database, caller: GameProvider, bet: Bet, request_id: str) -> Answer:
    """Take a bet from a player's wallet.

    Args:
        database: where the wallet is.
        caller: the game provider.
        bet: what it sent.
        request_id: this call's own. The row keeps it, so that the statement, sent again after a lost answer, finds
            its own row and is answered as the first time.

    Returns:
        The answer stored with the bet: taken, or declined for ever. A replay returns the first answer.

    Raises:
        SignatureInvalid, SessionNotFound, PlayerNotFound, WrongCurrency, DuplicateTransaction,
        TransactionAlreadyProcessed, TransactionRolledBack: refused; nothing is stored.
        Unavailable: outcome unknown; the same bet sent again converges.
    """
    return _answer(
        database.one(
            "SELECT casino_debit_v1(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                caller.tenant_id,
                caller.code,
                caller.bare_signature,
                bet.session_token,
                bet.player_id,
                bet.transaction_id,
                bet.round_id,
                bet.amount,
                bet.currency,
                request_hash(
                    caller.tenant_id, "bet", bet.player_id, bet.transaction_id, bet.round_id, bet.amount, None
                ),
                request_id,
            ],
        )
    )


def credit(database: Database, caller: GameProvider, win: Credit, request_id: str) -> Answer:
    """Pay a win, promo or jackpot into a player's wallet; returns and raises as debit, and TransactionNotFound."""
    return _transact(
        database, caller, win.kind, win.session_token, win.player_id, win.transaction_id, win.round_id, win.amount,
        win.bet_id, win.currency, request_id,
    )  # fmt: skip


def rollback(database: Database, caller: GameProvider, undo: Rollback, request_id: str) -> Answer:
    """Give a bet back to its player; returns and raises as debit, and TransactionNotFound.

    A transaction never seen gets a tombstone: its id is refused from then on.
    """
    return _transact(
        database, caller, "rollback", undo.session_token, undo.player_id, undo.transaction_id, undo.round_id, 0,
        undo.original_id, undo.currency, request_id,
    )  # fmt: skip


def _transact(
    database: Database, caller: GameProvider, kind: str, session_token: str, player_id: int, transaction_id: str,
    round_id: str | None, amount: int, reference_id: str | None, currency: str | None, request_id: str,
) -> Answer:  # fmt: skip
    tombstone = (
        request_hash(caller.tenant_id, "tombstone", player_id, reference_id, round_id, 0, transaction_id)
        if reference_id
        else None
    )
    return _answer(
        database.one(
            "SELECT casino_transact_v1(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                caller.tenant_id,
                caller.code,
                caller.bare_signature,
                kind,
                session_token,
                player_id,
                transaction_id,
                round_id,
                amount,
                reference_id,
                currency,
                request_hash(caller.tenant_id, kind, player_id, transaction_id, round_id, amount, reference_id),
                tombstone,
                request_id,
            ],
        )
    )


def _answer(row: Any) -> Answer:
    outcome, response, replayed, balance = row[0]
    if response is None:
        error = table.of_code(outcome)
        if issubclass(error, WalletError):
            raise error(balance=None if balance is None else int(balance))
        raise error
    return Answer(outcome, response, replayed == "true")
