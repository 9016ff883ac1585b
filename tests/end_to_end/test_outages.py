"""WALLET 39 over HTTP: the database is down, silent, full or busy. The caller gets 503 in time and can retry."""

import os
import signal
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from local.services.postgres import Postgres
from local.services.secrets_extension import Fault
from local.stack import Stack
from tests.conformance.client import B, Casino, Fields, Player, Reply, encoded, sign
from tests.conformance.expectations import accepted, expect, moves
from tests.end_to_end.conftest import kill_environments

pytestmark = pytest.mark.usefixtures("audited")

# Seconds: the promised longest time to a response, and what two busy cores may add.
PROMISED, SLACK = 3.0, 0.5


def calls(casino: Casino, player: Player, bet: Fields, placed: Fields) -> list[Callable[[], Reply]]:
    return [
        lambda: casino.debit(bet),
        lambda: casino.credit(player.win(10, placed)),
        lambda: casino.rollback(player.undo(placed)),
    ]


def unavailable(call: Callable[[], Reply]) -> None:
    """Expect 503 with Retry-After in time, and nothing internal in the body."""
    started = time.monotonic()
    reply = call()
    seconds = time.monotonic() - started
    expect(reply.status == 503, f"not 503: {reply}")
    expect(reply.code == "UNAVAILABLE", f"not UNAVAILABLE: {reply}")
    expect(int(reply.headers["retry-after"]) > 0, f"no Retry-After: {reply.headers}")
    expect(seconds < PROMISED + SLACK, f"answered after {seconds:.1f} s")
    for internal in (b"ostgres", b"psycopg", b"127.0.0.1", b"connection", b"lock", b"casino_", b"Traceback"):
        expect(internal not in reply.body, f"the answer tells {internal!r}: {reply}")


@pytest.fixture
def player(casino: Casino) -> Player:
    """A player with 9000 minor units and one bet of 1000."""
    player = casino.player()
    for operation in ("credit", "rollback"):  # the first call of each starts its environment
        casino.send(operation, encoded(player.fields))
    return player


def retried(casino: Casino, player: Player, bet: Fields) -> None:
    """Send the same bet again: the money moves once."""
    accepted(casino.debit(bet), bet, 8000)
    expect(player.balance() == 8000, f"the balance is {player.balance()}, not 8000")


def test_stopped_database_is_503_and_the_retry_moves_money_once(
    casino: Casino, player: Player, postgres: Postgres
) -> None:
    """WALLET 39: Database down -> 503 with Retry-After within 3 s; never half done."""
    placed, bet = player.placed(1000), player.bet(1000)
    postgres.kill()
    try:
        for call in calls(casino, player, bet, placed):
            unavailable(call)
        unavailable(lambda: casino.send("getBalance", encoded(player.fields)))
    finally:
        postgres.restart()
    assert player.balance() == 9000
    retried(casino, player, bet)


def test_stopped_database_is_503_for_a_new_environment(
    stack: Stack, casino: Casino, player: Player, postgres: Postgres
) -> None:
    """WALLET 39: Database down when the function first connects -> 503."""
    player.placed(1000)
    bet = player.bet(1000)
    postgres.kill()
    kill_environments(stack, "wallet-debit")
    try:
        casino.debit(bet)  # starts the environment, which may take long
        unavailable(lambda: casino.debit(bet))
        launch = casino.launch(player.user_id)
        expect(launch.status == 503 and "retry-after" in launch.headers, f"launchGame: {launch}")
    finally:
        postgres.restart()
    retried(casino, player, bet)


def family(pid: int) -> list[int]:
    """Return a process and all its children."""
    found = [pid]
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = stat.read_text().rpartition(")")[2].split()[1]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(parent) == pid:
            found.append(int(stat.parent.name))
    return found


@contextmanager
def frozen(postgres: Postgres) -> Generator[None]:
    """The server accepts connections and does not answer."""
    processes = family(postgres.pid)
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            os.kill(process, signal.SIGCONT)


def test_silent_database_is_503_in_time(casino: Casino, player: Player, postgres: Postgres) -> None:
    """WALLET 39: Database slow -> 503 with Retry-After within 3 s; never half done."""
    placed, bet = player.placed(1000), player.bet(1000)
    with frozen(postgres):
        unavailable(lambda: casino.debit(bet))
        unavailable(lambda: casino.debit(bet))  # now on a new connection, which is not accepted
        unavailable(lambda: casino.send("getBalance", encoded(player.fields)))
    retried(casino, player, bet)
    undo = player.undo(placed)
    with moves(player, 1000):
        accepted(casino.rollback(undo), undo, 9000)


@pytest.mark.parametrize(
    "lock",
    [
        "SELECT FROM casino_wallets WHERE player_id = %s FOR UPDATE",
        "SELECT pg_advisory_xact_lock(%s)",
    ],
)
def test_lock_held_too_long_is_503_and_other_wallets_are_unaffected(
    casino: Casino, player: Player, superuser: psycopg.Connection, lock: str
) -> None:
    """WALLET 39: lock wait too long -> 503 with Retry-After within 3 s; 41: other wallets unaffected."""
    placed, bet = player.placed(1000), player.bet(1000)
    other = casino.player()
    with superuser.transaction():
        superuser.execute(lock.encode(), [player.user_id])
        for call in calls(casino, player, bet, placed):
            unavailable(call)
        free = other.bet(1)
        accepted(casino.debit(free), free, B - 1)
        assert player.balance() == 9000
    assert player.balance() == 9000
    retried(casino, player, bet)


def test_no_connection_left_is_503(stack: Stack, casino: Casino, player: Player, superuser: psycopg.Connection) -> None:
    """WALLET 39: Database out of connections -> 503 with Retry-After within 3 s."""
    player.placed(1000)
    bet = player.bet(1000)
    kill_environments(stack)
    superuser.execute("ALTER ROLE causeway_casino CONNECTION LIMIT 0")
    try:
        casino.debit(bet)  # starts the environment
        unavailable(lambda: casino.debit(bet))
    finally:
        superuser.execute("ALTER ROLE causeway_casino CONNECTION LIMIT -1")
    retried(casino, player, bet)


@pytest.mark.parametrize("fault", ["busy", "starting", "silent"])
@pytest.mark.parametrize("read_before", [True, False])
def test_secret_that_cannot_be_read_is_503_and_the_retry_moves_money_once(
    stack: Stack, casino: Casino, player: Player, fault: Fault, read_before: bool
) -> None:
    """WALLET 39: while a secret cannot be read, a valid call is never answered as a wrong signature."""
    placed, bet = player.placed(1000), player.bet(1000)
    if not read_before:
        kill_environments(stack)
    stack.secrets_extension.play(fault)
    try:
        if read_before:
            # A signature that does not match makes the function read the secrets again: the new ones may match.
            time.sleep(1.1)
            wrong = encoded(bet)
            unavailable(lambda: casino.send("debit", wrong, signature=sign("a-secret-not-known-yet", wrong)))
        else:
            casino.debit(bet)  # starts the environment, which may take long
            for call in calls(casino, player, bet, placed)[:1]:
                unavailable(call)
    finally:
        stack.secrets_extension.play(None)
    assert player.balance() == 9000
    retried(casino, player, bet)


def test_ended_database_session_is_replaced_within_the_call(
    casino: Casino, player: Player, superuser: psycopg.Connection
) -> None:
    """WALLET 39, 40: a lost connection is opened again within the call."""
    player.placed(1000)
    bet = player.bet(1000)
    superuser.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'causeway_casino'")
    retried(casino, player, bet)
