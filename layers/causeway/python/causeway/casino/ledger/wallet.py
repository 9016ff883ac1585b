"""The wallet: balance, bet, win and rollback, each of them one call of an SQL function in schema/."""

import json
from dataclasses import dataclass
from typing import Any, LiteralString

from causeway.casino.ledger.requests import BalanceQuery, Bet, Credit, Rollback, request_hash
from causeway.database.postgres import Database
from causeway.errors import table
from causeway.errors.casino import WalletError
from causeway.game_signing.authentication import GameProvider

# The parameters have the names of the functions' arguments, and stand in their order (tests/database/test_wallets.py):
# arguments that SQL names cost 6 % of a debit's instructions.
_BALANCE: LiteralString = """
    SELECT outcome, balance, currency FROM casino_balance_v1(
        %(tenant_id)s, %(game_provider)s, %(bare_signature)s, %(session_token)s, %(player_id)s, %(currency)s
    )
"""
_DEBIT: LiteralString = """
    SELECT casino_debit_v1(
        %(tenant_id)s, %(game_provider)s, %(bare_signature)s, %(session_token)s, %(player_id)s, %(transaction_id)s,
        %(round_id)s, %(amount)s, %(currency)s, %(request_hash)s, %(request_id)s
    ) AS answer
"""
_TRANSACT: LiteralString = """
    SELECT casino_transact_v1(
        %(tenant_id)s, %(game_provider)s, %(bare_signature)s, %(type)s, %(session_token)s, %(player_id)s,
        %(transaction_id)s, %(round_id)s, %(amount)s, %(reference_id)s, %(currency)s, %(request_hash)s,
        %(tombstone_hash)s, %(request_id)s
    ) AS answer
"""
STATEMENTS = {"casino_balance_v1": _BALANCE, "casino_debit_v1": _DEBIT, "casino_transact_v1": _TRANSACT}


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a money call, now and whenever the call is sent again.

    Attributes:
        code: 'OK', or the code of a decline.
        body: JSON text.
        replayed: an earlier call stored the answer.
    """

    code: str
    body: str
    replayed: bool = False


def is_game_provider(database: Database, code: str) -> bool:
    """Return whether a casino of this deployment has a game provider of that code; raises Unavailable."""
    return bool(database.one("SELECT game_provider_known_v1(%s) AS known", [code]).known)


def balance(database: Database, game_provider: GameProvider, query: BalanceQuery) -> Answer:
    """Return a player's balance in minor units, in the API's names.

    Raises:
        SignatureInvalid, SessionNotFound, PlayerNotFound: the game provider may not read it.
        WrongCurrency: the query names another currency than the wallet's.
        Internal: the database answered a code that this release does not know.
        Unavailable: the database did not answer.
    """
    row = database.one(
        _BALANCE,
        {
            "tenant_id": game_provider.tenant_id,
            "game_provider": game_provider.code,
            "bare_signature": game_provider.bare_signature,
            "session_token": query.session_token,
            "player_id": query.player_id,
            "currency": query.currency,
        },
    )
    if row.outcome != "OK":
        raise table.of_code(row.outcome)
    answer = {"userId": query.player_id, "balance": str(row.balance), "currency": row.currency}
    return Answer("OK", json.dumps(answer, separators=(",", ":")))


def debit(database: Database, game_provider: GameProvider, bet: Bet, request_id: str) -> Answer:
    """Take a bet from a player's wallet.

    Args:
        database: of the casino's login.
        game_provider: the caller.
        bet: as sent.
        request_id: of this call alone. The ledger row stores it: when the statement is sent again after a lost answer,
            it finds its own row and gets the first answer.

    Returns:
        The answer that is stored with the bet: accepted, or declined for ever. A replay gets the first answer.

    Raises:
        SignatureInvalid, SessionNotFound, PlayerNotFound, WrongCurrency, GameProviderInactive, DuplicateTransaction,
        TransactionAlreadyProcessed, TransactionRolledBack: refused; nothing is stored.
        Internal: the database answered a code that this release does not know.
        Unavailable: the outcome is unknown; send the same bet again.
    """
    tenant_id = game_provider.tenant_id
    return _answer(
        database.one(
            _DEBIT,
            {
                "tenant_id": tenant_id,
                "game_provider": game_provider.code,
                "bare_signature": game_provider.bare_signature,
                "session_token": bet.session_token,
                "player_id": bet.player_id,
                "transaction_id": bet.transaction_id,
                "round_id": bet.round_id,
                "amount": bet.amount,
                "currency": bet.currency,
                "request_hash": request_hash(
                    tenant_id, "bet", bet.player_id, bet.transaction_id, bet.round_id, bet.amount, None
                ),
                "request_id": request_id,
            },
        )
    )


def credit(database: Database, game_provider: GameProvider, win: Credit, request_id: str) -> Answer:
    """Pay a win, promo or jackpot into a player's wallet. Arguments and result are as in debit.

    Raises:
        SignatureInvalid, SessionNotFound, PlayerNotFound, WrongCurrency, TransactionNotFound, DuplicateTransaction,
        TransactionAlreadyProcessed, TransactionRolledBack: refused; nothing is stored.
        Unavailable: the outcome is unknown; send the same credit again.
    """
    return _transact(database, game_provider, win, win.kind, win.amount, win.bet_id, request_id)


def rollback(database: Database, game_provider: GameProvider, undo: Rollback, request_id: str) -> Answer:
    """Give a bet back to its player. Arguments and result are as in debit.

    An unknown transaction gets a tombstone: its id is refused for ever.

    Raises:
        SignatureInvalid, SessionNotFound, PlayerNotFound, WrongCurrency, TransactionNotFound, DuplicateTransaction,
        TransactionAlreadyProcessed, TransactionRolledBack: refused; nothing is stored.
        Unavailable: the outcome is unknown; send the same rollback again.
    """
    return _transact(database, game_provider, undo, "rollback", 0, undo.original_id, request_id)


def _transact(
    database: Database,
    game_provider: GameProvider,
    sent: Credit | Rollback,
    kind: str,
    amount: int,
    reference_id: str | None,
    request_id: str,
) -> Answer:
    tenant_id, player_id, round_id = game_provider.tenant_id, sent.player_id, sent.round_id
    tombstone = None
    if reference_id:
        tombstone = request_hash(tenant_id, "tombstone", player_id, reference_id, round_id, 0, sent.transaction_id)
    return _answer(
        database.one(
            _TRANSACT,
            {
                "tenant_id": tenant_id,
                "game_provider": game_provider.code,
                "bare_signature": game_provider.bare_signature,
                "type": kind,
                "session_token": sent.session_token,
                "player_id": player_id,
                "transaction_id": sent.transaction_id,
                "round_id": round_id,
                "amount": amount,
                "reference_id": reference_id,
                "currency": sent.currency,
                "request_hash": request_hash(
                    tenant_id, kind, player_id, sent.transaction_id, round_id, amount, reference_id
                ),
                "tombstone_hash": tombstone,
                "request_id": request_id,
            },
        )
    )


def _answer(row: Any) -> Answer:
    outcome, response, replayed, balance = row.answer
    if response is None:
        error = table.of_code(outcome)
        if issubclass(error, WalletError):
            raise error(balance=None if balance is None else int(balance))
        raise error
    return Answer(outcome, response, replayed == "true")
