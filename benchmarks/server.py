"""A Postgres server with a ledger of 10000 wallets, and pgbench to put load on it."""

import os
import re
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

import psycopg

from causeway import migrations
from local.services import database as local_database
from local.services.postgres import Postgres
from local.stack import ROOT
from local.temporary_folders import temporary_folder

TENANT_ID = UUID("00000000-0000-4000-8000-000000000001")
WALLETS = 10_000
# Minor units of each new wallet; no benchmark empties a wallet.
BALANCE = 10**12

# No checkpoint and no vacuum during a run: it would slow down only one of the two sides.
SETTINGS = {
    "shared_buffers": "1GB",
    "max_wal_size": "32GB",
    "checkpoint_timeout": "1h",
    "autovacuum": "off",
    "wal_init_zero": "off",
}

# A debit of a random wallet, in the form in which the ledger calls it.
DEBIT = r"""
\set player random(1, 10000)
SELECT casino_debit_v1('00000000-0000-4000-8000-000000000001', 'BENCH', true,
  'session-' || :player, :player, gen_random_uuid()::text, 'round-1', 1000, NULL, sha256('request'), 'request')
"""


@dataclass(frozen=True, slots=True)
class LedgerServer:
    """A running server and the databases on it."""

    postgres: Postgres
    database: local_database.Database

    def url(self, role: str) -> str:
        """The URL of the ledger's database for one of its roles."""
        return self.database.urls[role]

    def pgbench(self, script: str, clients: int, seconds: int, protocol: str = "extended") -> float:
        """Run a script with pgbench and return its transactions per second.

        protocol: the functions use extended; a proxied session has no prepared statements.
        """
        with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
            file.write(script)
            file.flush()
            result = subprocess.run(
                [
                    self.postgres.binary("pgbench"),
                    *("-n", "-M", protocol, "-c", str(clients), "-j", str(min(clients, os.cpu_count() or 1))),
                    *("-T", str(seconds), "-f", file.name, self.url("casino")),
                ],
                capture_output=True,
                text=True,
                check=True,
            )
        match = re.search(r"tps = ([\d.]+)", result.stdout)
        if match is None or "ERROR" in result.stderr:
            raise RuntimeError(f"pgbench failed: {result.stdout}\n{result.stderr}")
        return float(match[1])


@contextmanager
def ledger_server() -> Generator[LedgerServer]:
    """Start a server, migrate a database on it and fill it with wallets and sessions."""
    with (
        temporary_folder("causeway-bench") as folder,
        Postgres(folder, settings=SETTINGS) as postgres,
    ):
        database = make_ledger(postgres)
        yield LedgerServer(postgres, database)


def make_ledger(postgres: Postgres) -> local_database.Database:
    """Create a database with 10000 funded wallets, each with an active session."""
    database = local_database.create(postgres.url())
    migrations.migrate(database.urls["owner"], ROOT / "schema")
    database = local_database.give_passwords(database)
    with psycopg.connect(database.urls["superuser"], autocommit=True) as superuser:
        superuser.execute("INSERT INTO tenants VALUES (%s, 'BENCH', 'Bench')", [TENANT_ID])
        superuser.execute(
            """
            INSERT INTO casino_game_providers (tenant_id, code, display_name, api_url, allow_bare_signature)
            VALUES (%s, 'BENCH', 'Bench', 'http://127.0.0.1', true)
            """,
            [TENANT_ID],
        )
        superuser.execute(
            """
            INSERT INTO casino_games (tenant_id, game_provider_id, code, display_name)
            SELECT tenant_id, game_provider_id, 'BENCH', 'Bench' FROM casino_game_providers
            """
        )
        superuser.execute(
            "INSERT INTO casino_players (tenant_id) SELECT %s FROM generate_series(1, %s)",
            [TENANT_ID, WALLETS],
        )
        superuser.execute(
            """
            INSERT INTO casino_wallets (tenant_id, player_id, currency, balance)
            SELECT tenant_id, player_id, 'EUR', %s FROM casino_players ORDER BY player_id
            """,
            [BALANCE],
        )
        superuser.execute(
            """
            INSERT INTO casino_sessions (
                tenant_id, session_token, player_id, wallet_id, game_id, game_provider_id, status, expires_at
            )
            SELECT
                tenant_id, 'session-' || player_id, player_id, wallet_id, game_id, game_provider_id, 'active',
                'infinity'
            FROM casino_wallets INNER JOIN casino_games USING (tenant_id)
            ORDER BY player_id
            """
        )
        # Insert and analyse 10000 rows before any measurement: on empty tables the planner chooses other plans.
        preload(superuser, 1)
    return database


def preload(database: psycopg.Connection, rows_per_wallet: int) -> None:
    """Insert this many transactions for every wallet, in random order of ids, and analyse."""
    database.execute(
        """
        INSERT INTO casino_transactions (
            tenant_id, wallet_id, entry, type, outcome, game_provider_id, id_scope, external_transaction_id,
            session_id, round_id, amount, balance_before, balance_after, counter_account, request_hash, request_id,
            created_at, hash
        )
        SELECT w.tenant_id, w.wallet_id, w.entries + n, 'bet', 'OK', s.game_provider_id, 0, gen_random_uuid()::text,
            s.session_id, 'round-1', -1000, w.balance, w.balance - 1000, 'game', sha256(int8send(n)), 'request',
            now(), sha256(int8send(n))
        FROM generate_series(1, %s) AS n, casino_wallets AS w
        INNER JOIN casino_sessions AS s USING (tenant_id, wallet_id)
        """,
        [rows_per_wallet],
    )
    database.execute("UPDATE casino_wallets SET entries = entries + %s", [rows_per_wallet])
    database.execute("VACUUM (ANALYZE)")
