"""Instructions of a debit and of the bare statement, counted by callgrind on one backend: load does not change them."""

import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psycopg

from benchmarks.debit_function import BARE, BARE_TABLES
from benchmarks.server import DEBIT, LedgerServer, ledger_server
from benchmarks.table import Row

# Statements of a short and of a long run. Their difference leaves out the start and the first plans.
_FEW, _MANY = 60, 360
# The settings of a role do not apply to a single-user backend.
_SETTINGS = ("SET plan_cache_mode = force_generic_plan", "SET enable_seqscan = off", "SET jit = off")
_STOP_SECONDS = 30


def run() -> list[Row]:
    """Count both; report it if valgrind is not installed."""
    name = "debit function / bare statement, instructions"
    if shutil.which("valgrind") is None:
        return [Row(name, "not counted: valgrind is not installed")]
    with ledger_server() as server:
        with psycopg.connect(server.url("superuser"), autocommit=True) as database:
            database.execute(BARE_TABLES)
            database.execute("VACUUM (ANALYZE)")
        _shut_down(server)
        debit, bare = (_instructions(server, script) for script in (DEBIT, BARE))
    return [Row(name, f"{debit:,}, bare {bare:,}", debit / bare, at_most=2.0)]


def _shut_down(server: LedgerServer) -> None:
    """Stop the server and keep its data."""
    running = server.postgres.data / "postmaster.pid"
    os.kill(server.postgres.pid, signal.SIGINT)
    end = time.monotonic() + _STOP_SECONDS
    while running.exists():
        if time.monotonic() > end:
            raise RuntimeError("the server did not stop")
        time.sleep(0.05)


def _instructions(server: LedgerServer, script: str) -> int:
    """Return the instructions of one statement of a pgbench script that sets a random player."""
    statement = " ".join(line for line in script.splitlines() if not line.startswith("\\"))
    few, many = (
        _counted(server, [re.sub(r":player\b", str(player), statement) for player in range(1, count + 1)])
        for count in (_FEW, _MANY)
    )
    return (many - few) // (_MANY - _FEW)


def _counted(server: LedgerServer, statements: list[str]) -> int:
    """Run statements, one per line, on a single-user backend, and return its instructions."""
    data = server.postgres.data
    owner, counts = data.stat(), Path(data, "callgrind.out")
    result = subprocess.run(
        [
            *("valgrind", "--tool=callgrind", "--quiet", f"--callgrind-out-file={counts}"),
            *(server.postgres.binary("postgres"), "--single", "-D", data, server.database.name),
        ],
        input="\n".join([*_SETTINGS, *statements, ""]),
        user=owner.st_uid,
        group=owner.st_gid,
        cwd=data,
        capture_output=True,
        text=True,
        check=True,
    )
    total = re.search(r"^(?:summary|totals): (\d+)", counts.read_text(), re.MULTILINE)
    if total is None or "ERROR" in result.stderr or "INSUFFICIENT" in result.stdout:
        raise RuntimeError(f"not counted: {result.stderr[-500:]}")
    return int(total[1])
