"""Partitions by time: made ahead; a call is logged whether they were made or not."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from causeway.connections import call_log_listing, call_log_writes
from causeway.database import partitions
from causeway.errors.service import Unavailable
from causeway.outbound.client import Attempt
from causeway.wire.pages import PageRequest
from tests.database.world import Casino

USE = call_log_writes.Use("request", "person", "subject", "203.0.113.7", None)
LOGS, BODIES = "integration_api_logs", "integration_api_log_bodies"


def attempt(number: int) -> Attempt:
    return Attempt("GET", f"https://h.test/{number}", 200, number, None, f"sent {number}", f"answered {number}")


@pytest.fixture
def connection_id(casino: Casino) -> UUID:
    """A connection of the tenant."""
    return casino.value(
        """
        INSERT INTO integration_connections (tenant_id, provider_key, name, created_by)
        VALUES (%s, 'twilio', 'Twilio', 'subject') RETURNING connection_id
        """,
        [casino.tenant_id],
    )


@pytest.fixture
def log(casino: Casino, connection_id: UUID) -> Callable[..., None]:
    """Logs calls as the hub does."""

    def save(*numbers: int) -> None:
        with casino.database("hub").transaction(casino.tenant_id) as transaction:
            call_log_writes.save(transaction, connection_id, [attempt(number) for number in numbers], USE)

    return save


def made(casino: Casino) -> dict[str, int]:
    """Make the missing partitions; returns the counts."""
    counts: dict[str, int] = {}
    partitions.make(casino.database("hub"), counts)
    return counts


def bounds(casino: Casino, table: str) -> dict[str, str]:
    """The partitions of a table with their bounds, the default one left out."""
    rows = casino.query(
        """
        SELECT c.relname, pg_get_expr(c.relpartbound, c.oid) AS bound FROM pg_class AS c
        WHERE c.relispartition AND c.relkind = 'r' AND starts_with(c.relname, %s)
        """,
        [f"{table}_2"],
    )
    return {row.relname: row.bound for row in rows}


def drop(casino: Casino, *names: str) -> None:
    for name in names:
        casino.superuser.execute(sql.SQL("DROP TABLE partitions.{}").format(sql.Identifier(name)))


def of_present(casino: Casino) -> tuple[str, str]:
    """The names of the present month's and day's partitions."""
    now = casino.value("SELECT now()").astimezone(UTC)
    return f"{LOGS}_{now:%Y_%m}", f"{BODIES}_{now:%Y_%m_%d}"


def places(casino: Casino, table: str) -> set[str]:
    """The partitions that have rows of a table."""
    rows = casino.query(f"SELECT DISTINCT tableoid::regclass::text AS name FROM {table}")  # noqa: S608
    return {row.name.removeprefix("partitions.") for row in rows}


def page(casino: Casino, connection_id: UUID) -> list[Any]:
    """The calls that a page shows."""
    wanted = PageRequest(call_log_listing.PAGES.listing, connection_id, "", 50)
    with casino.database("hub").transaction(casino.tenant_id) as transaction:
        return call_log_listing.PAGES.fetch(transaction, wanted, {"connection": connection_id})


def test_present_and_the_time_ahead_have_partitions_without_a_gap(casino: Casino) -> None:
    now = casino.value("SELECT now()").astimezone(UTC)
    days = [now.date() + timedelta(days=number) for number in range(8)]
    months = [f"{now.year + (now.month - 1 + n) // 12}_{(now.month - 1 + n) % 12 + 1:02}" for n in range(3)]

    assert set(bounds(casino, BODIES)) == {f"{BODIES}_{day:%Y_%m_%d}" for day in days}
    assert set(bounds(casino, LOGS)) <= {f"{LOGS}_{month}" for month in months}
    assert set(bounds(casino, LOGS)) >= {f"{LOGS}_{month}" for month in months[:2]}
    for table in (LOGS, BODIES):
        edges = sorted(
            bound.removeprefix("FOR VALUES FROM ('").split("') TO ('") for bound in bounds(casino, table).values()
        )
        ends = [end.removesuffix("')") for _, end in edges]
        assert ends[:-1] == [start for start, _ in edges[1:]]


def test_second_call_makes_nothing(casino: Casino) -> None:
    assert made(casino) == {"made": 0, "overflowed": 0}


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Dubai"])
def test_partitions_begin_at_midnight_utc_whatever_the_session_says(casino: Casino, zone: str) -> None:
    before = bounds(casino, LOGS) | bounds(casino, BODIES)
    drop(casino, *before)
    with psycopg.connect(casino.urls["hub"]) as database:
        database.execute(sql.SQL("SET timezone = {}").format(sql.Literal(zone)))
        assert database.execute("SELECT * FROM partitions_make_v1()").fetchone() == (len(before), 0)

    assert bounds(casino, LOGS) | bounds(casino, BODIES) == before


def test_calls_and_their_bodies_are_stored_in_the_present_partitions_in_order(
    casino: Casino, connection_id: UUID, log: Callable[..., None]
) -> None:
    log(1, 2, 3)

    month, day = of_present(casino)
    assert (places(casino, LOGS), places(casino, BODIES)) == ({month}, {day})
    shown = [(row.url, row.request_body, row.response_body) for row in page(casino, connection_id)]
    assert shown == [(f"https://h.test/{n}", f"sent {n}", f"answered {n}") for n in (3, 2, 1)]


def test_call_is_logged_and_shown_although_no_partition_was_made(
    casino: Casino, connection_id: UUID, log: Callable[..., None]
) -> None:
    """HUB 16: a schedule that fails loses no row."""
    drop(casino, *bounds(casino, LOGS), *bounds(casino, BODIES))
    log(1, 2)

    assert (places(casino, LOGS), places(casino, BODIES)) == ({f"{LOGS}_default"}, {f"{BODIES}_default"})
    assert [row.request_body for row in page(casino, connection_id)] == ["sent 2", "sent 1"]


def test_rows_of_the_default_partition_stay_and_the_next_partitions_are_made(
    casino: Casino, connection_id: UUID, log: Callable[..., None]
) -> None:
    every = {*bounds(casino, LOGS), *bounds(casino, BODIES)}
    drop(casino, *every)
    log(1)

    assert made(casino) == {"made": len(every) - 2, "overflowed": 2}
    assert {*bounds(casino, LOGS), *bounds(casino, BODIES)} == every - set(of_present(casino))
    log(2)
    assert [row.request_body for row in page(casino, connection_id)] == ["sent 2", "sent 1"]
    assert made(casino) == {"made": 0, "overflowed": 2}


def test_dropped_bodies_leave_their_calls_in_the_list(
    casino: Casino, connection_id: UUID, log: Callable[..., None]
) -> None:
    """HUB 45: bodies are kept for a shorter time than calls."""
    log(1)
    drop(casino, of_present(casino)[1])

    [row] = page(casino, connection_id)
    assert (row.url, row.request_body, row.response_body) == ("https://h.test/1", None, None)


def test_two_calls_at_the_same_time_make_each_partition_once(casino: Casino) -> None:
    every = {*bounds(casino, LOGS), *bounds(casino, BODIES)}
    drop(casino, *every)
    counts: list[int] = []
    with psycopg.connect(casino.urls["hub"]) as first:
        first.execute("SELECT * FROM partitions_make_v1()")
        second = Thread(target=lambda: counts.append(made(casino)["made"]))
        second.start()
        second.join(0.3)
        first.commit()
        second.join()

    assert counts == [0]
    assert {*bounds(casino, LOGS), *bounds(casino, BODIES)} == every


def test_making_partitions_waits_for_no_writer_and_lets_writers_go_on(
    casino: Casino, connection_id: UUID, log: Callable[..., None]
) -> None:
    """A writer that waited longer than lock_timeout would lose its rows."""
    future = max(bounds(casino, LOGS)), max(bounds(casino, BODIES))
    drop(casino, *future)
    with casino.database("hub").transaction(casino.tenant_id) as writer:
        call_log_writes.save(writer, connection_id, [attempt(1)], USE)
        with psycopg.connect(casino.urls["hub"]) as maker:
            assert maker.execute("SELECT * FROM partitions_make_v1()").fetchone() == (2, 0)
            with psycopg.connect(casino.urls["superuser"]) as other:
                other.execute("SET lock_timeout = '100ms'")
                other.execute(
                    """
                    INSERT INTO integration_api_logs (
                        tenant_id, connection_id, method, url, milliseconds, request_id, actor_kind, actor
                    ) VALUES (%s, %s, 'GET', '', 1, '', 'person', 'subject')
                    """,
                    [casino.tenant_id, connection_id],
                )
    assert len(page(casino, connection_id)) == 2


def test_locked_table_fails_the_call_and_the_next_call_makes_what_is_missing(casino: Casino) -> None:
    future = max(bounds(casino, BODIES))
    drop(casino, future)
    with casino.superuser.transaction():
        casino.superuser.execute("LOCK TABLE integration_api_log_bodies IN SHARE UPDATE EXCLUSIVE MODE")
        with pytest.raises(Unavailable):
            made(casino)

    assert made(casino) == {"made": 1, "overflowed": 0}


@pytest.mark.parametrize("column", ["created_at", "log_id"])
def test_hub_cannot_choose_the_time_or_number_of_a_call(casino: Casino, column: str) -> None:
    """A backdated call would be missing from the digest of its day."""
    value = {"created_at": datetime(2026, 1, 1, tzinfo=UTC), "log_id": 1}[column]
    statement = sql.SQL("INSERT INTO integration_api_logs ({}) VALUES ({})")
    with (
        psycopg.connect(casino.urls["hub"]) as database,
        pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.GeneratedAlways)),
    ):
        database.execute(statement.format(sql.Identifier(column), sql.Literal(value)))
