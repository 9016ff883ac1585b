"""The database connection: what is retried, the time limits, and the caller's answer. WALLET 39, 40."""

import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import psycopg
import pytest
from psycopg import sql

from causeway.database.postgres import BUDGET, Database
from causeway.errors.service import Internal, SchemaBehind, Unavailable
from causeway.errors.tree import CausewayError
from tests.database.parallel import at_once, waiting_backend
from tests.database.world import PROMISE, B, Casino, Outcome, Seat


def _in_background(call: Callable[[], Outcome]) -> tuple[ThreadPoolExecutor, Callable[[], Outcome]]:
    thread = ThreadPoolExecutor(1)
    return thread, thread.submit(call).result


def test_deadlock_is_retried_and_the_call_succeeds(casino: Casino) -> None:
    """WALLET 40"""
    seat = casino.seat()
    with psycopg.connect(casino.urls["superuser"]) as rival:
        # The other transaction checks for deadlocks later than the debit, so the debit is the victim.
        rival.execute("SET deadlock_timeout = '10s'")
        rival.execute("SELECT FROM casino_wallets WHERE wallet_id = %s FOR UPDATE", [seat.wallet_id])
        thread, outcome = _in_background(lambda: seat.debit("bet", 1000))
        waiting_backend(casino)
        rival.execute("SELECT pg_advisory_xact_lock(%s)", [seat.player_id])
        rival.rollback()

        assert (outcome().code, seat.balance, len(seat.rows)) == ("OK", 9000, 1)
        thread.shutdown()
    seat.database.close()
    deadline = time.monotonic() + 10
    while not casino.value("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"):
        assert time.monotonic() < deadline, "there was no deadlock"
        time.sleep(0.05)


def test_serialization_failures_are_retried_and_every_call_succeeds(casino: Casino) -> None:
    """WALLET 40: at a stricter isolation level each call that waited for another fails at first"""
    seat = casino.seat()
    callers = [
        replace(seat, database=casino.database(options="-c default_transaction_isolation=serializable"))
        for _ in range(4)
    ]

    outcomes = at_once([partial(caller.debit, f"bet-{n}", 100) for n, caller in enumerate(callers)])

    assert {outcome.code for outcome in outcomes} == {"OK"}
    assert (seat.balance, len(seat.rows)) == (B - 400, 4)


def test_lost_connection_is_replaced_without_an_error(seat: Seat) -> None:
    """WALLET 39"""
    seat.debit("bet 1", 1)
    pid = seat.database.one("SELECT pg_backend_pid() AS pid", []).pid
    seat.casino.query("SELECT pg_terminate_backend(%s, 5000)", [pid])

    assert seat.debit("bet 2", 1).code == "OK"
    assert seat.balance == B - 2


def test_silent_server_is_given_up_in_time_and_the_retry_converges(seat: Seat) -> None:
    """WALLET 39: the client's own deadline ends it, because a stopped server cannot enforce its limits"""
    seat.debit("bet 1", 1)
    pid = seat.database.one("SELECT pg_backend_pid() AS pid", []).pid
    if not os.path.exists(f"/proc/{pid}"):  # noqa: PTH110 - also false where there is no /proc
        pytest.skip("the server's processes are not on this machine")
    os.kill(pid, signal.SIGSTOP)
    try:
        started = time.monotonic()
        with pytest.raises(Unavailable):
            seat.debit("bet 2", 1)
        assert time.monotonic() - started < PROMISE
    finally:
        os.kill(pid, signal.SIGCONT)

    assert seat.debit("bet 2", 1).code == "OK"
    assert (seat.balance, len(seat.rows)) == (B - 2, 2)


def test_long_lock_is_given_up_in_time_and_moves_nothing(seat: Seat) -> None:
    """WALLET 39"""
    with psycopg.connect(seat.casino.urls["superuser"]) as holder:
        holder.execute("SELECT FROM casino_wallets WHERE wallet_id = %s FOR UPDATE", [seat.wallet_id])
        started = time.monotonic()
        with pytest.raises(Unavailable) as raised:
            seat.debit("bet", 1)
        assert time.monotonic() - started < PROMISE
        assert (raised.value.status, raised.value.retry_after) == (503, 1)
        # Another player's wallet is not affected.
        assert seat.casino.seat(game_provider=seat.game_provider).debit("other", 1).code == "OK"

    assert seat.state() == (B, [])
    assert seat.debit("bet", 1).code == "OK"


def test_server_out_of_connections_is_unavailable_and_moves_nothing(casino: Casino) -> None:
    """WALLET 39"""
    seat = casino.seat()
    name = sql.Identifier(seat.casino.urls["casino"].rpartition("/")[2])
    casino.query(sql.SQL("ALTER DATABASE {} CONNECTION LIMIT 0").format(name))
    with pytest.raises(Unavailable):
        seat.debit("bet", 1)

    casino.query(sql.SQL("ALTER DATABASE {} CONNECTION LIMIT -1").format(name))
    assert seat.debit("bet", 1).balance == B - 1


def test_unreachable_server_is_unavailable_and_the_log_says_what_to_do() -> None:
    """WALLET 39"""
    with pytest.raises(Unavailable) as raised:
        Database(conninfo="postgresql://nobody@127.0.0.1:1/nothing").one("SELECT 1", [])

    assert "check that it runs" in raised.value.cause
    assert "127.0.0.1" not in raised.value.sentence


def test_statement_over_the_roles_limit_is_unavailable(seat: Seat) -> None:
    """WALLET 39"""
    started = time.monotonic()
    with pytest.raises(Unavailable):
        seat.database.one("SELECT pg_sleep(10)", [])

    assert time.monotonic() - started < PROMISE


def test_outdated_schema_is_reported_with_the_remedy(seat: Seat) -> None:
    with pytest.raises(SchemaBehind) as raised:
        seat.database.one("SELECT casino_debit_v999()", [])

    assert raised.value.cause.endswith("run schema-migrate")
    assert raised.value.status == 503


def test_other_database_error_is_internal_without_details(seat: Seat) -> None:
    with pytest.raises(CausewayError) as raised:
        seat.database.one("SELECT 1 / 0", [])

    assert (type(raised.value), raised.value.status) == (Internal, 500)
    assert "division" in raised.value.cause
    assert "division" not in raised.value.sentence


def test_connection_is_kept_between_statements(seat: Seat) -> None:
    pids = {seat.database.one("SELECT pg_backend_pid() AS pid", []).pid for _ in range(3)}

    assert len(pids) == 1


def test_transaction_commits_at_its_end_and_rolls_back_on_an_error(seat: Seat) -> None:
    change = "UPDATE casino_sessions SET status = %s WHERE tenant_id = %s AND session_token = %s"
    status = "SELECT status FROM casino_sessions WHERE session_token = %s"
    with seat.database.transaction(seat.casino.tenant_id) as transaction:
        transaction.execute(change, ["closed", seat.casino.tenant_id, seat.token])
    assert seat.casino.value(status, [seat.token]) == "closed"

    def break_off() -> None:
        with seat.database.transaction(seat.casino.tenant_id) as transaction:
            transaction.execute(change, ["active", seat.casino.tenant_id, seat.token])
            raise KeyError

    with pytest.raises(KeyError):
        break_off()
    assert seat.casino.value(status, [seat.token]) == "closed"


def test_transaction_on_a_lost_connection_starts_on_a_new_one(seat: Seat) -> None:
    pid = seat.database.one("SELECT pg_backend_pid() AS pid", []).pid
    seat.casino.query("SELECT pg_terminate_backend(%s, 5000)", [pid])

    with seat.database.transaction(seat.casino.tenant_id) as transaction:
        seen = transaction.execute("SELECT current_tenant() AS id").fetchall()

    assert [row.id for row in seen] == [seat.casino.tenant_id]


def test_transaction_that_loses_its_connection_is_unavailable(seat: Seat) -> None:
    def break_off() -> None:
        with seat.database.transaction(seat.casino.tenant_id) as transaction:
            pid = transaction.info.backend_pid
            seat.casino.query("SELECT pg_terminate_backend(%s, 5000)", [pid])
            transaction.execute("SELECT 1")

    with pytest.raises(Unavailable):
        break_off()
    assert seat.debit("bet", 1).code == "OK"


def test_budget_leaves_room_within_the_promise() -> None:
    """WALLET 39: 503 within 3 s"""
    assert threading.TIMEOUT_MAX > PROMISE > BUDGET
