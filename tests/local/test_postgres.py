"""The embedded Postgres server."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from local.errors import StartError
from local.services.database import create, give_passwords
from local.services.postgres import Postgres
from tests.unit.wrong_urls import SECRET, WRONG_URLS

REMEDY = "give a superuser's URL, postgresql://user:password@host/database, or unset DATABASE_URL .*"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with Postgres(tmp_path_factory.mktemp("postgres"), settings={"work_mem": "7MB"}) as postgres:
        yield postgres


def test_server_is_durable_and_takes_settings(server: Postgres) -> None:
    with psycopg.connect(server.url()) as transaction:
        shown = {
            name: transaction.execute("SELECT current_setting(%s)", (name,)).fetchone()
            for name in ("fsync", "work_mem")
        }

    assert shown == {"fsync": ("on",), "work_mem": ("7MB",)}


def test_server_requires_the_password(server: Postgres) -> None:
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(server.url(password="guess"))


def test_killed_server_answers_no_statement_that_is_under_way(server: Postgres) -> None:
    """A busy backend outlives the postmaster: it would answer a call after the crash."""
    database = psycopg.connect(server.url())
    backend = database.info.backend_pid
    database.pgconn.send_query(b"SELECT count(*) FROM generate_series(1, 100000000000)")

    server.kill()
    server.restart()

    database.close()
    # Gone, or a zombie that its new parent has not reaped.
    state = Path("/proc", str(backend), "stat")
    assert not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z"


def test_server_killed_and_restarted_keeps_what_was_committed(server: Postgres) -> None:
    with psycopg.connect(server.url()) as transaction:
        transaction.execute("CREATE TABLE kept (n int)")
        transaction.execute("INSERT INTO kept VALUES (1)")
    first = server.pid

    server.kill()
    server.restart()

    assert server.pid != first
    os.kill(server.pid, 0)
    with psycopg.connect(server.url()) as transaction:
        assert transaction.execute("SELECT n FROM kept").fetchall() == [(1,)]


def test_server_brings_pgbench(server: Postgres) -> None:
    assert server.binary("pgbench").is_file()


def test_stop_ends_the_server_and_removes_its_data(tmp_path: Path) -> None:
    with Postgres(tmp_path) as server:
        pid, data = server.pid, server.data

    assert not data.exists()
    assert not Path(f"/proc/{pid}").exists()


def test_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    with (
        pytest.raises(StartError, match="unrecognized configuration parameter"),
        Postgres(tmp_path, settings={"nonsense": "1"}),
    ):
        pass


def test_database_of_the_stack_belongs_to_the_owner_and_logins_get_passwords(server: Postgres) -> None:
    database = create(server.url())
    with psycopg.connect(database.urls["owner"]) as transaction:
        transaction.execute("CREATE ROLE causeway_casino LOGIN")
        transaction.execute("CREATE TABLE anything (n int)")
    database = give_passwords(database)

    assert database.urls.keys() == {"superuser", "owner", "casino"}
    assert database.passwords.keys() == {"causeway_owner", "causeway_casino"}
    with psycopg.connect(database.urls["casino"]) as transaction:
        assert transaction.execute("SELECT current_user, current_database()").fetchone() == (
            "causeway_casino",
            database.name,
        )
    again = give_passwords(create(server.url()))
    assert again.passwords == database.passwords
    database.drop()
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(database.urls["owner"])


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("postgresql://postgres@127.0.0.1:1/postgres", '.*"127.0.0.1", port 1 failed: Connection refused'),
        ("postgresql://postgres@127.0.0.1:1,127.0.0.1:2/postgres", '.*"127.0.0.1", port 2 failed: Connection refused'),
        ("postgresql://postgres@/postgres?host=/nowhere&port=1", '.*"/nowhere/.s.PGSQL.1" failed: No such file.*'),
        ("nonsense", "the URL does not begin with postgresql:// or postgres://"),
    ],
)
def test_unreachable_server_is_reported_in_one_sentence(url: str, reason: str) -> None:
    """It says host, port, reason and what to do; the driver's hints are left out."""
    with pytest.raises(StartError) as refused:
        create(url)
    assert re.fullmatch(f"the Postgres server of DATABASE_URL cannot be used: {reason}: {REMEDY}", str(refused.value))


@pytest.mark.parametrize(("url", "reason"), WRONG_URLS.items())
def test_wrong_url_is_refused_unquoted_before_anything_is_made(server: Postgres, url: str, reason: str) -> None:
    place = urlsplit(server.url()).netloc.rpartition("@")[2]
    with pytest.raises(StartError) as refused:
        create(url.format(place=place))

    assert re.fullmatch(f"the Postgres server of DATABASE_URL cannot be used: {reason}: {REMEDY}", str(refused.value))
    assert SECRET not in str(refused.value)


def test_key_value_form_of_a_usable_server_makes_nothing(server: Postgres) -> None:
    """The URLs of the stack's logins could not be made from it."""
    parts = urlsplit(server.url())

    def made() -> set[Any]:
        statement = "SELECT datname FROM pg_database UNION SELECT rolname FROM pg_roles"
        with psycopg.connect(server.url()) as database:
            return set(database.execute(statement).fetchall())

    before = made()
    with pytest.raises(StartError, match="does not begin with postgresql://"):
        create(f"host={parts.hostname} port={parts.port} user={parts.username} password={parts.password}")
    assert made() == before


def test_login_that_may_not_make_roles_is_reported_in_one_sentence(server: Postgres) -> None:
    with psycopg.connect(server.url(), autocommit=True) as database:
        database.execute("CREATE ROLE simple LOGIN PASSWORD 'simple'")
    parts = urlsplit(server.url())
    url = parts._replace(netloc=f"simple:simple@{parts.netloc.rpartition('@')[2]}").geturl()

    with pytest.raises(StartError, match="the Postgres server of DATABASE_URL cannot be used: permission denied"):
        create(url)
