"""The debit's SQL function against a bare statement, the least that takes a bet safely, both under pgbench."""

import psycopg

from benchmarks.server import DEBIT, ledger_server
from benchmarks.table import Row, in_turn

_SECONDS = 2

# 10000 wallets, like the ledger.
BARE_TABLES = """
CREATE TABLE bare_wallets (wallet_id bigint PRIMARY KEY, balance bigint NOT NULL) WITH (fillfactor = 60);
CREATE TABLE bare_transactions (
    transaction_id text PRIMARY KEY, wallet_id bigint NOT NULL, amount bigint NOT NULL,
    balance_after bigint NOT NULL, created_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO bare_wallets SELECT n, 1000000000000 FROM generate_series(1, 10000) AS n;
INSERT INTO bare_transactions SELECT gen_random_uuid(), n, 0, 1000000000000 FROM generate_series(1, 10000) AS n;
GRANT ALL ON bare_wallets, bare_transactions TO causeway_casino;
"""

# Without session, tenant, player and game provider; without replay, tombstone, stored answer and chain.
BARE = r"""
\set player random(1, 10000)
WITH moved AS (
  UPDATE bare_wallets SET balance = balance - 1000 WHERE wallet_id = :player AND balance >= 1000
  RETURNING wallet_id, balance
)
INSERT INTO bare_transactions SELECT gen_random_uuid()::text, wallet_id, 1000, balance FROM moved
RETURNING balance_after
"""


def run() -> list[Row]:
    """Measure with 1, 8 and 32 clients; then with prepared statements, without a bound: a proxy does not allow them."""
    rows = []
    with ledger_server() as server:
        with psycopg.connect(server.url("superuser"), autocommit=True) as database:
            database.execute(BARE_TABLES)
            database.execute("VACUUM (ANALYZE)")
        for protocol, bound in (("extended", 0.7), ("prepared", None)):
            for clients in (1, 8, 32):
                ours, bare, ratio = in_turn(
                    lambda: server.pgbench(DEBIT, clients, _SECONDS, protocol=protocol),  # noqa: B023
                    lambda: server.pgbench(BARE, clients, _SECONDS, protocol=protocol),  # noqa: B023
                )
                name = f"debit function / bare statement, {clients} clients"
                name += "" if bound else ", prepared"
                rows.append(Row(name, f"{ours:,.0f}/s, bare {bare:,.0f}/s", ratio, bound))
    return rows
