"""One deadline per call: whatever does not answer, the caller gets an answer in time; WALLET 39."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from math import inf
from uuid import uuid4

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from causeway.database import connecting, postgres
from causeway.database.postgres import Database
from causeway.errors.service import Unavailable
from causeway.outbound.deadlines import Deadline, bounded
from tests.database.world import PROMISE, Casino, Seat
from tests.unit.silent import Silent


@pytest.fixture(params=[True, False], ids=["accepts", "answers no SYN"])
def silent(request: pytest.FixtureRequest) -> Iterator[Callable[[int], Silent]]:
    """Makes this number of silent addresses with one port."""
    with ExitStack() as made:

        def make(count: int) -> Silent:
            silent = Silent([f"127.0.0.{number}" for number in range(2, 2 + count)], accepts=request.param)
            made.callback(silent.close)
            return silent

        yield make


@pytest.fixture
def name(monkeypatch: pytest.MonkeyPatch) -> Callable[[list[str]], str]:
    """Gives a name these addresses: name(["127.0.0.2"])."""
    ask = socket.getaddrinfo

    def give(addresses: list[str]) -> str:
        def resolve(host: str, port: object, *more: int, **rest: int) -> list[tuple[object, ...]]:
            hosts = addresses if host == "database.test" else [host]
            return [found for one in hosts for found in ask(one, str(port), *more, **rest)]

        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        return "database.test"

    return give


def seconds_of(call: Callable[[], object]) -> float:
    """The seconds until a call learns that the database is unavailable."""
    started = time.monotonic()
    with pytest.raises(Unavailable):
        call()
    return time.monotonic() - started


@pytest.mark.parametrize("count", [1, 2, 3])
def test_name_with_silent_addresses_is_given_up_in_time(
    silent: Callable[[int], Silent], name: Callable[[list[str]], str], count: int
) -> None:
    """WALLET 39: the driver's own limit is at least two seconds per address."""
    port = silent(count).port
    host = name([f"127.0.0.{number}" for number in range(2, 2 + count)])
    dead = Database(host=host, port=port, user="nobody", dbname="nothing")

    assert seconds_of(lambda: dead.one("SELECT 1", [])) < PROMISE


def test_address_behind_silent_ones_is_reached(
    silent: Callable[[int], Silent], name: Callable[[list[str]], str], seat: Seat
) -> None:
    """A proxy's name has an address in each zone: losing one zone must not make the database unavailable."""
    given = conninfo_to_dict(seat.casino.urls["casino"])
    host, port = str(given["host"]), int(str(given["port"]))
    silents = ["127.0.0.2", "127.0.0.3"]
    with ExitStack() as listeners:
        for address in silents:
            listeners.enter_context(socket.create_server((address, port)))
        alive = Database(**given | {"host": name([*silents, host])})

        assert alive.one("SELECT 1 AS one", []).one == 1
    alive.close()


def test_call_is_limited_by_its_own_deadline(silent: Callable[[int], Silent]) -> None:
    """Time used by earlier layers of a call is not available again."""
    dead = Database(host="127.0.0.2", port=silent(1).port, user="nobody", dbname="nothing")
    deadline = Deadline(0.5)
    bound = dead.within(deadline)

    def both() -> None:
        with pytest.raises(Unavailable):
            bound.one("SELECT 1", [])
        with bound.transaction(uuid4()):
            """Is not reached."""

    assert seconds_of(both) < 1.5
    assert deadline.left() == 0


def test_statement_ends_with_the_calls_deadline_and_the_next_call_has_its_own(seat: Seat) -> None:
    assert seconds_of(lambda: seat.database.within(Deadline(0.3)).one("SELECT pg_sleep(10)", [])) < 1.5

    assert seat.database.one("SELECT 1 AS one", []).one == 1


def test_transaction_without_time_to_roll_back_does_not_affect_the_next(seat: Seat) -> None:
    """The error that ends the transaction may come when no time is left to roll it back."""
    own = seat.database
    deadline = Deadline(60)

    def break_off() -> None:
        with own.within(deadline).transaction(seat.casino.tenant_id):
            deadline.end = 0
            raise KeyError

    with pytest.raises(KeyError):
        break_off()
    assert own.one("SELECT 1 AS one", []).one == 1
    with own.transaction(seat.casino.tenant_id) as transaction:
        assert transaction.execute("SELECT 1 AS one").fetchall()[0].one == 1


def test_calls_share_the_connection_of_their_environment(seat: Seat) -> None:
    own = seat.database
    pids = {use.one("SELECT pg_backend_pid() AS pid", []).pid for use in (own, own.within(Deadline(2)), own)}

    assert len(pids) == 1


def test_silent_secrets_extension_is_within_the_deadline(
    silent: Callable[[int], Silent], monkeypatch: pytest.MonkeyPatch
) -> None:
    """WALLET 39: reading the password's secret shares the deadline."""
    for setting, value in (
        ("SECRETS_EXTENSION_URL", f"http://127.0.0.2:{silent(1).port}"),
        ("AWS_SESSION_TOKEN", "session-token"),
        *(("DATABASE_" + which, "x") for which in ("HOST", "NAME", "USER", "SECRET")),
    ):
        monkeypatch.setenv(setting, value)
    _forget()
    try:
        assert seconds_of(lambda: Database().one("SELECT 1", [])) < PROMISE
        assert seconds_of(lambda: Database().within(Deadline(0.3)).one("SELECT 1", [])) < 1.5
    finally:
        _forget()


def _forget() -> None:
    postgres.secrets.current.cache_clear()
    for setting in vars(postgres.settings).values():
        if hasattr(setting, "cache_clear"):
            setting.cache_clear()


def test_name_that_is_not_resolved_in_time_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A resolver asks its servers one after the other, for many seconds."""
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: time.sleep(5))
    dead = Database(host="database.test", user="nobody", dbname="nothing").within(Deadline(0.3))

    assert seconds_of(lambda: dead.one("SELECT 1", [])) < 1.5


def test_unknown_name_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="not resolved"):
        Database(host="database.invalid", user="nobody", dbname="nothing").one("SELECT 1", [])


def test_late_connection_is_closed(casino: Casino) -> None:
    """Otherwise nobody would ever close it, and the server's number of connections is limited."""
    made: list[psycopg.Connection] = []

    def slow(**_: object) -> psycopg.Connection:
        time.sleep(0.3)
        made.append(psycopg.connect(casino.urls["casino"]))
        return made[-1]

    with pytest.raises(psycopg.OperationalError, match="no connection in time"):
        connecting.connect(slow, {"host": "127.0.0.1"}, Deadline(0.1))
    until = time.monotonic() + 10
    while not (made and made[0].closed) and time.monotonic() < until:
        time.sleep(0.01)
    assert [database.closed for database in made] == [True]


def test_work_within_its_time_returns_or_raises_as_usual() -> None:
    assert bounded(10, lambda: 7) == 7
    with pytest.raises(ValueError, match="'x'"):
        bounded(10, lambda: int("x"))
    for seconds, work in ((0, lambda: 7), (0.05, lambda: time.sleep(0.2))):
        with pytest.raises(TimeoutError):
            bounded(seconds, work)


def test_earlier_of_two_deadlines_counts() -> None:
    assert Deadline(inf, Deadline(0)).left() == Deadline(0, Deadline(inf)).left() == 0
    assert 0 < Deadline(60, Deadline(inf)).left() <= 60
