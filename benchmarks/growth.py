"""Debits with 5 million stored transactions against debits with 10000. GROWTH_ROWS sets another size."""

import os

import psycopg

from benchmarks.server import DEBIT, WALLETS, LedgerServer, ledger_server, make_ledger, preload
from benchmarks.table import Row, in_turn

_ROWS = int(os.environ.get("GROWTH_ROWS", "5000000"))
_SECONDS = 3
_CLIENTS = 8


def run() -> list[Row]:
    """Fill a second database on the same server and measure both in turn."""
    with ledger_server() as small:
        large = LedgerServer(small.postgres, make_ledger(small.postgres))
        with psycopg.connect(large.url("superuser"), autocommit=True) as database:
            for _ in range(10):
                preload(database, _ROWS // WALLETS // 10)
        many, few, ratio = in_turn(
            lambda: large.pgbench(DEBIT, _CLIENTS, _SECONDS), lambda: small.pgbench(DEBIT, _CLIENTS, _SECONDS)
        )
    name = f"debits with {_ROWS:,} transactions / with {WALLETS:,}"
    return [Row(name, f"{many:,.0f}/s, small {few:,.0f}/s", ratio, 0.9)]
