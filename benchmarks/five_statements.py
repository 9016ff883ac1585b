"""The ledger against a bet as an interactive transaction of five statements, written plainly with psycopg."""

import json
import random
import uuid
from collections.abc import Callable

import psycopg

from benchmarks.python_ledger import debits
from benchmarks.server import WALLETS, ledger_server
from benchmarks.table import Row, in_turn
from benchmarks.workers import rate

_SECONDS = 2
# Not 3: the least statement that takes a bet safely (debit_function.BARE), sent through psycopg, reaches 2.8 to 3.2
# times the rate of the five, without the other duties of a ledger.
_AT_LEAST = 2.0

_TABLES = """
CREATE TABLE plain_sessions (
    id bigint PRIMARY KEY, token text UNIQUE NOT NULL, user_id bigint NOT NULL, status text NOT NULL
);
CREATE TABLE plain_wallets (id bigint PRIMARY KEY, user_id bigint UNIQUE NOT NULL, balance bigint NOT NULL);
CREATE TABLE plain_transactions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, wallet_id bigint NOT NULL REFERENCES plain_wallets,
    session_id bigint NOT NULL REFERENCES plain_sessions, external_transaction_id text UNIQUE NOT NULL,
    type text NOT NULL, round_id text NOT NULL, amount bigint NOT NULL, balance_after bigint NOT NULL,
    response_cache jsonb NOT NULL, created_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO plain_sessions SELECT n, 'session-' || n, n, 'active' FROM generate_series(1, 10000) AS n;
INSERT INTO plain_wallets SELECT n, n, 1000000000000 FROM generate_series(1, 10000) AS n;
GRANT ALL ON ALL TABLES IN SCHEMA public TO causeway_provider;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO causeway_provider;
"""


def interactive_debits(url: str) -> Callable[[], None]:
    """Connect and return a function that takes one bet by five statements."""
    # Like the ledger: a proxied session has no prepared statements.
    database = psycopg.connect(url, prepare_threshold=None)

    def once() -> None:
        user, transaction = random.randint(1, WALLETS), str(uuid.uuid4())
        with database.transaction():
            session = database.execute(
                "SELECT id, user_id, status FROM plain_sessions WHERE token = %s", [f"session-{user}"]
            ).fetchone()
            known = database.execute(
                "SELECT response_cache FROM plain_transactions WHERE external_transaction_id = %s",
                [transaction],
            ).fetchone()
            wallet = database.execute(
                "SELECT id, balance FROM plain_wallets WHERE user_id = %s FOR UPDATE", [user]
            ).fetchone()
            if session is None or known is not None or wallet is None or wallet[1] < 1000:
                raise RuntimeError("a debit was declined")
            after = wallet[1] - 1000
            database.execute("UPDATE plain_wallets SET balance = %s WHERE id = %s", [after, wallet[0]])
            answer = {"transactionId": transaction, "balance": str(after), "currency": "EUR", "status": "ok"}
            database.execute(
                """
                INSERT INTO plain_transactions (
                    wallet_id, session_id, external_transaction_id, type, round_id, amount, balance_after,
                    response_cache
                ) VALUES (%s, %s, %s, 'debit', 'round-1', 1000, %s, %s)
                """,
                [wallet[0], session[0], transaction, after, json.dumps(answer)],
            )

    return once


def run() -> list[Row]:
    """Measure both from Python, with 1 and 8 callers."""
    rows = []
    with ledger_server() as server:
        with psycopg.connect(server.url("superuser"), autocommit=True) as database:
            database.execute(_TABLES)
            database.execute("VACUUM (ANALYZE)")
        for callers in (1, 8):
            ours, five, ratio = in_turn(
                lambda: rate(debits, server.url("casino"), callers, _SECONDS),  # noqa: B023
                lambda: rate(interactive_debits, server.url("provider"), callers, _SECONDS),  # noqa: B023
                rounds=3,
            )
            name = f"ledger / five statements, {callers} {'caller' if callers == 1 else 'callers'}"
            rows.append(Row(name, f"{ours:,.0f}/s, five statements {five:,.0f}/s", ratio, _AT_LEAST))
    return rows
