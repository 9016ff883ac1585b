"""A casino for tests: a migrated database of its own with game providers, players and their sessions."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from secrets import token_hex
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg import sql
from psycopg.rows import namedtuple_row

from causeway.casino.ledger import wallet
from causeway.casino.ledger.requests import BalanceQuery, Bet, Credit, Rollback, request_hash
from causeway.casino.ledger.verifier import LedgerTotals, verify
from causeway.casino.ledger.wallet import Answer
from causeway.database.postgres import Database
from causeway.errors.casino import WalletError
from causeway.errors.service import Unavailable
from causeway.errors.tree import CausewayError
from causeway.game_signing.authentication import GameProvider

# The initial balance of every player in minor units, as in the cases of docs/requirements.md.
B = 10000
# Seconds within which a caller gets an answer.
PROMISE = 3.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a money call: answered (stored, with a body) or refused (nothing stored)."""

    code: str
    body: str | None
    replayed: bool
    balance: int | None

    @property
    def refused(self) -> bool:
        return self.body is None

    @property
    def fields(self) -> dict[str, Any]:
        return json.loads(self.body or "{}")


def outcome_of(call: Callable[[], Answer]) -> Outcome:
    """Make a call and return its result; an error that is no refusal (5xx) is raised."""
    try:
        answer = call()
    except CausewayError as error:
        if error.status >= 500:
            raise
        return Outcome(error.code, None, False, error.balance if isinstance(error, WalletError) else None)
    balance = json.loads(answer.body).get("balance")
    return Outcome(answer.code, answer.body, answer.replayed, None if balance is None else int(balance))


def converged(call: Callable[[], Outcome]) -> Outcome:
    """Repeat a call, as a game provider would, until its outcome is known."""
    while True:
        with suppress(Unavailable):
            return call()


@dataclass(frozen=True, slots=True)
class Seat:
    """A player in a session of a game provider, and the database connection for the calls."""

    casino: "Casino"
    database: Database
    game_provider: GameProvider
    token: str
    player_id: int
    wallet_id: int

    def debit(
        self,
        id: str,
        amount: int,
        round_id: str = "round",
        player_id: int | None = None,
        currency: str | None = None,
    ) -> Outcome:
        bet = Bet(self.token, player_id or self.player_id, id, round_id, amount, currency)
        return outcome_of(lambda: wallet.debit(self.database, self.game_provider, bet, str(uuid4())))

    def credit(
        self,
        id: str,
        amount: int,
        bet_id: str | None = None,
        round_id: str = "round",
        kind: str = "win",
        player_id: int | None = None,
        currency: str | None = None,
    ) -> Outcome:
        win = Credit(self.token, player_id or self.player_id, id, round_id, amount, bet_id, kind, currency)
        return outcome_of(lambda: wallet.credit(self.database, self.game_provider, win, str(uuid4())))

    def rollback(
        self,
        id: str,
        original_id: str,
        round_id: str | None = None,
        player_id: int | None = None,
        currency: str | None = None,
    ) -> Outcome:
        undo = Rollback(self.token, player_id or self.player_id, id, round_id, original_id, currency)
        return outcome_of(lambda: wallet.rollback(self.database, self.game_provider, undo, str(uuid4())))

    def asked_balance(self, player_id: int | None = None, currency: str | None = None) -> Outcome:
        query = BalanceQuery(self.token, player_id or self.player_id, currency)
        return outcome_of(lambda: wallet.balance(self.database, self.game_provider, query))

    def deposit(self, id: str, amount: int) -> str:
        return self.casino.deposit(self.player_id, self.wallet_id, id, amount)

    @property
    def balance(self) -> int:
        return self.casino.value(
            "SELECT balance FROM casino_wallets WHERE tenant_id = %s AND wallet_id = %s",
            [self.casino.tenant_id, self.wallet_id],
        )

    @property
    def rows(self) -> list[Any]:
        """The wallet's ledger rows in the order of the chain, without the opening deposit."""
        return self.casino.query(
            """
            SELECT type::text, outcome, external_transaction_id AS id, round_id, reference_id, amount,
                balance_before, balance_after, counter_account::text, response
            FROM casino_transactions
            WHERE tenant_id = %s AND wallet_id = %s AND type <> 'deposit'
            ORDER BY entry
            """,
            [self.casino.tenant_id, self.wallet_id],
        )

    def state(self) -> tuple[int, list[Any]]:
        """Balance and rows: an 'unmoved' call leaves both exactly as before."""
        return self.balance, self.rows

    def with_wallet(self, currency: str, balance: int = B) -> "Seat":
        """The same player at the same game provider, in a session of another wallet."""
        wallet_id = self.casino.wallet(self.player_id, balance, currency)
        return replace(self, wallet_id=wallet_id, token=self.casino.session(wallet_id, self.game_provider))

    def elsewhere(self) -> "Seat":
        """The same seat with its own database connection."""
        return replace(self, database=self.casino.database())


@dataclass
class Casino:
    """A database cloned from the migrated template, with one tenant; made for one test, or one module."""

    urls: dict[str, str]
    tenant_id: UUID = field(default_factory=uuid4)
    # Set by a test that corrupts rows; after all other tests the audit must have no findings.
    corrupted: bool = False

    def __post_init__(self) -> None:
        self._databases: list[Database] = []
        self.superuser = psycopg.connect(self.urls["superuser"], autocommit=True, row_factory=namedtuple_row)
        self.superuser.execute(
            "INSERT INTO tenants (tenant_id, code, display_name) VALUES (%s, %s, 'A casino')",
            [self.tenant_id, f"T{token_hex(8).upper()}"],
        )

    def query(self, statement: Any, parameters: Any = ()) -> list[Any]:
        """Run a statement as superuser."""
        cursor = self.superuser.execute(statement, parameters or None)
        return cursor.fetchall() if cursor.description else []

    def value(self, statement: Any, parameters: Any = ()) -> Any:
        """Return the single value of a statement, as superuser."""
        return self.query(statement, parameters)[0][0]

    def database(self, role: str = "casino", options: str = "") -> Database:
        """A function's database, closed after the test."""
        return self.database_at(self.urls[role], **({"options": options} if options else {}))

    def database_at(self, url: str, **transaction: Any) -> Database:
        """The same by another URL, for example through a proxy."""
        database = Database(conninfo=url, **transaction)
        self._databases.append(database)
        return database

    def game_provider(self, code: str | None = None, **dialect: Any) -> GameProvider:
        """Make a game provider with one game; these columns as given, the others by default."""
        code = code or f"P{token_hex(4).upper()}"
        names = sql.SQL("").join(sql.SQL(", {} => %s").format(sql.Identifier(f"p_{name}")) for name in dialect)
        add = sql.SQL("SELECT casino_add_game_provider_v1(%s, %s, %s, 'http://127.0.0.1'{})").format(names)
        self.query(add, [self.tenant_id, code, code, *dialect.values()])
        self.query("SELECT casino_add_game_v1(%s, %s, 'SLOTS', 'Slots')", [self.tenant_id, code])
        return GameProvider(self.tenant_id, code, bare_signature=False)

    def wallet(self, player_id: int, balance: int, currency: str = "EUR") -> int:
        """Make a wallet and return its id."""
        wallet_id = self.value("SELECT casino_add_wallet_v1(%s, %s, %s)", [self.tenant_id, player_id, currency])
        if balance:
            assert self.deposit(player_id, wallet_id, f"opening-{wallet_id}", balance) == "OK"
        return wallet_id

    def deposit(self, player_id: int, wallet_id: int, id: str, amount: int) -> str:
        """Make a deposit at the cashier; returns the outcome's code."""
        digest = request_hash(self.tenant_id, "deposit", player_id, id, None, amount, None)
        return self.value(
            "SELECT outcome FROM casino_deposit_v1(%s, %s, %s, %s, %s, %s)",
            [self.tenant_id, wallet_id, id, amount, digest, str(uuid4())],
        )

    def player(self) -> int:
        """Make a player and return the id."""
        return self.value("SELECT casino_add_player_v1(%s)", [self.tenant_id])

    def session(self, wallet_id: int, game_provider: GameProvider) -> str:
        """Open an active session for a wallet at a game provider and return its token."""
        return self.value(
            """
            INSERT INTO casino_sessions (
                tenant_id, session_token, player_id, wallet_id, game_id, game_provider_id, status, expires_at
            )
            SELECT
                w.tenant_id, gen_random_uuid()::text, w.player_id, w.wallet_id, g.game_id, g.game_provider_id, 'active',
                now() + interval '24 hours'
            FROM casino_wallets AS w
            INNER JOIN casino_games AS g USING (tenant_id)
            INNER JOIN casino_game_providers AS p USING (tenant_id, game_provider_id)
            WHERE w.tenant_id = %s AND w.wallet_id = %s AND p.code = %s
            RETURNING session_token
            """,
            [self.tenant_id, wallet_id, game_provider.code],
        )

    def seat(self, game_provider: GameProvider | None = None, balance: int = B, **dialect: Any) -> Seat:
        """Make a player with a wallet and a session, at a new game provider if none is given."""
        game_provider = game_provider or self.game_provider(**dialect)
        player_id = self.player()
        wallet_id = self.wallet(player_id, balance)
        return Seat(self, self.database(), game_provider, self.session(wallet_id, game_provider), player_id, wallet_id)

    def second_session(self, seat: Seat, game_provider: GameProvider | None = None) -> Seat:
        """Open another session for the same player, at the same game provider if no other is given."""
        game_provider = game_provider or seat.game_provider
        return replace(seat, game_provider=game_provider, token=self.session(seat.wallet_id, game_provider))

    def findings(self) -> list[str]:
        """The auditor's findings in this database."""
        totals = LedgerTotals()
        with psycopg.connect(self.urls["auditor"], autocommit=True) as database:
            found = [str(finding) for finding in verify(database, totals)]
        if totals.wallet_money + totals.house_money != 0:
            found.append("wallets and house are not zero together")
        return found

    def disconnect(self) -> None:
        """Close the database connections of all seats; the next call opens a new one."""
        for database in self._databases:
            database.close()

    def close(self) -> None:
        """Close every database connection."""
        self.disconnect()
        self.superuser.close()
