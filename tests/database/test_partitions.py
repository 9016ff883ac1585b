"""Partitions by time: made ahead; a call is logged whether they were made or not."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, LiteralString
from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from causeway.connections import call_log_listing, call_log_writes
from causeway.connections.work import Work
from causeway.database import partitions
from causeway.errors.service import PartitionsMissing
from causeway.outbound.attempts import Attempt
from causeway.wire.pages import PageRequest
from tests.database.world import Casino

USE = call_log_writes.Use("request", "person", "subject", "203.0.113.7", None, Work("interactive", 25))
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
    partitions.make(casino.database("hub"), lambda: True, counts)
    return counts


def steps(casino: Casino, *settings: LiteralString) -> list[tuple[str, str]]:
    """Do every step in a session with these settings; returns the table and the name of each."""
    done = []
    with psycopg.connect(casino.urls["hub"], autocommit=True) as database:
        for setting in settings:
            database.execute(setting)
        while (step := _step(database))[1] is not None:
            done.append(step)
    return done


def _step(database: psycopg.Connection[Any]) -> tuple[Any, ...]:
    [step] = database.execute("SELECT table_name, step FROM partitions_step_v1()").fetchall()
    return step


def bounds(casino: Casino, table: str) -> dict[str, str]:
    """The partitions of a table with their bounds, the default one left out."""
    rows = casino.query(
        """
        SELECT c.relname, pg_get_expr(c.relpartbound, c.oid) AS bound FROM pg_class AS c
        WHERE c.relispartition AND c.relkind = 'r' AND starts_with(c.relname, %s)
            AND pg_get_expr(c.relpartbound, c.oid) <> 'DEFAULT'
        """,
        [f"{table}_"],
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
        return call_log_listing.select(transaction, connection_id, wanted).items


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


@pytest.mark.parametrize(
    "settings",
    [
        ("SET timezone = 'America/New_York'", "SET datestyle = 'SQL, DMY'"),
        ("SET timezone = 'Asia/Dubai'", "SET datestyle = 'German'"),
    ],
    ids=["New York", "Dubai"],
)
def test_partitions_begin_at_midnight_utc_whatever_the_session_says(
    casino: Casino, settings: tuple[LiteralString, ...]
) -> None:
    before = bounds(casino, LOGS) | bounds(casino, BODIES)
    drop(casino, *before)
    assert len(steps(casino, *settings)) == len(before)

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


def closed(casino: Casino, table: str) -> str:
    """The partition that was the default one."""
    [name] = [name for name in bounds(casino, table) if "_until_" in name]
    return name


def rights(casino: Casino, partition: str) -> list[str]:
    """What the owner of the partitions may do with one."""
    rows = casino.query(
        """
        SELECT p.name FROM string_to_table('SELECT INSERT UPDATE DELETE TRUNCATE', ' ') AS p (name)
        WHERE has_table_privilege('causeway_partitioner', %s, p.name)
        """,
        [f"partitions.{partition}"],
    )
    return [row.name for row in rows]


def test_default_partition_becomes_the_partition_of_its_rows(
    casino: Casino, connection_id: UUID, log: Callable[..., None]
) -> None:
    """The present and the next unit are the gap; the partitions after it are made as always."""
    every = {*bounds(casino, LOGS), *bounds(casino, BODIES)}
    drop(casino, *every)
    log(1)

    assert made(casino) == {"made": len(every) - 4, "overflowed": 2}
    for table in (LOGS, BODIES):
        assert places(casino, table) == {closed(casino, table)}
        assert rights(casino, closed(casino, table)) == []
        assert rights(casino, f"{table}_default") == ["SELECT"]
    log(2)
    assert [row.request_body for row in page(casino, connection_id)] == ["sent 2", "sent 1"]
    assert made(casino) == {"made": 0, "overflowed": 0}


def test_gap_between_two_partitions_is_closed_exactly(
    casino: Casino, connection_id: UUID, log: Callable[..., None]
) -> None:
    [today] = [bound for name, bound in bounds(casino, BODIES).items() if name == of_present(casino)[1]]
    casino.superuser.execute("CREATE TABLE partitions.yesterday (LIKE integration_api_log_bodies)")
    casino.superuser.execute("ALTER TABLE partitions.yesterday OWNER TO causeway_partitioner")
    casino.superuser.execute(
        f"""
        ALTER TABLE integration_api_log_bodies ATTACH PARTITION partitions.yesterday
        FOR VALUES FROM ('2020-01-01') {today.partition(" TO ")[0].replace("FOR VALUES FROM", "TO")}
        """.encode()
    )
    drop(casino, of_present(casino)[1])
    log(1)

    assert made(casino) == {"made": 0, "overflowed": 1}
    assert bounds(casino, BODIES)[closed(casino, BODIES)] == today


def test_rows_of_the_default_partition_are_not_read_while_callers_wait(
    casino: Casino, log: Callable[..., None]
) -> None:
    """Attaching would otherwise read all of them under its lock; with many rows it would fail every night."""
    drop(casino, of_present(casino)[0])
    log(1)
    told: list[str] = []
    with psycopg.connect(casino.urls["hub"], autocommit=True) as database:
        assert [_step(database), _step(database)] == [(LOGS, "limited"), (LOGS, "checked")]
        database.add_notice_handler(lambda notice: told.append(notice.message_primary or ""))
        database.execute("SET client_min_messages = debug1")
        assert _step(database) == (LOGS, "replaced")

    implied = f'partition constraint for table "{closed(casino, LOGS)}" is implied by existing constraints'
    assert implied in told
    assert not [text for text in told if text.startswith("verifying table") and "_until_" in text]


def test_default_partition_is_checked_while_a_call_is_logged(
    casino: Casino, connection_id: UUID, log: Callable[..., None]
) -> None:
    drop(casino, of_present(casino)[0])
    log(1)
    with psycopg.connect(casino.urls["hub"], autocommit=True) as database:
        assert _step(database) == (LOGS, "limited")
        with casino.database("hub").transaction(casino.tenant_id) as writer:
            call_log_writes.save(writer, connection_id, [attempt(2)], USE)
            assert _step(database) == (LOGS, "checked")
    assert made(casino) == {"made": 0, "overflowed": 1}


@pytest.mark.parametrize("done", [1, 2])
def test_call_that_ended_between_two_steps_is_continued(
    casino: Casino, connection_id: UUID, log: Callable[..., None], done: int
) -> None:
    drop(casino, of_present(casino)[0])
    log(1)
    with psycopg.connect(casino.urls["hub"], autocommit=True) as database:
        for _ in range(done):
            _step(database)
    log(2)

    assert made(casino) == {"made": 0, "overflowed": 1}
    assert [row.milliseconds for row in page(casino, connection_id)] == [2, 1]
    assert places(casino, LOGS) == {closed(casino, LOGS)}


def test_rows_of_two_gaps_are_refused_by_name_and_calls_are_still_logged(
    casino: Casino, connection_id: UUID, log: Callable[..., None]
) -> None:
    """A person has dropped a partition in the middle: a person decides where its rows belong."""
    casino.superuser.execute(
        "CREATE TABLE partitions.old PARTITION OF integration_api_logs FOR VALUES FROM ('2020-01-01') TO ('2020-02-01')"
    )
    drop(casino, of_present(casino)[0])
    casino.superuser.execute(
        """
        INSERT INTO integration_api_logs (
            tenant_id, connection_id, method, url, milliseconds, request_id, actor_kind, actor, created_at
        ) VALUES (%s, %s, 'GET', '', 1, '', 'person', 'subject', '2019-01-01')
        """,
        [casino.tenant_id, connection_id],
    )
    counts: dict[str, int] = {}
    with pytest.raises(PartitionsMissing, match="rows of more than one gap"):
        partitions.make(casino.database("hub"), lambda: True, counts)

    assert counts == {"made": 0, "overflowed": 1}
    left = "SELECT count(*) FROM pg_constraint WHERE conname = 'gap'"
    assert casino.value(left) == 0
    log(2)
    assert len(page(casino, connection_id)) == 2


def test_steps_by_hand_in_the_manual_are_continued_by_the_next_call(casino: Casino, log: Callable[..., None]) -> None:
    """docs/deploy.md: what the owner does where the default partition has too many rows for a job's time."""
    drop(casino, of_present(casino)[0])
    log(1)
    manual = (Path(__file__).parents[2] / "docs/deploy.md").read_text()
    asked, *steps_by_hand = re.findall(
        r"^  (SELECT lower.*?;|ALTER TABLE partitions.*?;)$", manual, re.MULTILINE | re.DOTALL
    )
    with psycopg.connect(casino.urls["owner"], autocommit=True) as database:
        gap = database.execute(asked.replace("lower, upper", "lower::text, upper::text")).fetchone()
        assert gap is not None
        for step in steps_by_hand:
            database.execute(step.replace("<lower>", gap[0]).replace("<upper>", gap[1]).encode())

    assert steps(casino) == [(LOGS, "replaced")]


def test_row_that_comes_in_meanwhile_stops_the_new_partition(casino: Casino, log: Callable[..., None]) -> None:
    """The next step then finds the row in the default partition."""
    month = of_present(casino)[0]
    drop(casino, month)
    log(1)
    added = "SELECT partition_add(%s, %s, date_trunc('month', now()), date_trunc('month', now()) + interval '1 month')"
    assert casino.value(added, [LOGS, month]) is False

    assert month not in bounds(casino, LOGS)
    assert casino.value("SELECT to_regclass(%s)", [f"partitions.{month}"]) is None


def test_dropped_bodies_leave_their_calls_in_the_list(
    casino: Casino, connection_id: UUID, log: Callable[..., None]
) -> None:
    """HUB 45: bodies are kept for a shorter time than calls."""
    log(1)
    drop(casino, of_present(casino)[1])

    [row] = page(casino, connection_id)
    assert (row.url, row.request_body, row.response_body) == ("https://h.test/1", None, None)


@pytest.mark.parametrize("overflowed", [False, True])
def test_calls_at_the_same_time_make_each_partition_once(
    casino: Casino, log: Callable[..., None], overflowed: bool
) -> None:
    every = {*bounds(casino, LOGS), *bounds(casino, BODIES)}
    drop(casino, *every)
    if overflowed:
        log(1)
    with ThreadPoolExecutor(6) as threads:
        counts = list(threads.map(lambda _: made(casino), range(6)))

    # The gaps have the present and the next unit of each table.
    assert sum(count["made"] for count in counts) == len(every) - 4 * overflowed
    closed_ones = {name for table in (LOGS, BODIES) for name in bounds(casino, table) if "_until_" in name}
    assert len(closed_ones) == 2 * overflowed
    assert len({*bounds(casino, LOGS), *bounds(casino, BODIES)} - closed_ones) == len(every) - 4 * overflowed


def test_making_partitions_waits_for_no_writer_and_lets_writers_go_on(
    casino: Casino, connection_id: UUID, log: Callable[..., None]
) -> None:
    """A writer that waited longer than lock_timeout would lose its rows."""
    future = max(bounds(casino, LOGS)), max(bounds(casino, BODIES))
    drop(casino, *future)
    with casino.database("hub").transaction(casino.tenant_id) as writer:
        call_log_writes.save(writer, connection_id, [attempt(1)], USE)
        with psycopg.connect(casino.urls["hub"]) as maker:
            assert [_step(maker), _step(maker)] == [(LOGS, "made"), (BODIES, "made")]
            log(2)
    assert len(page(casino, connection_id)) == 2


def test_locked_table_lets_writers_go_on_and_the_next_call_makes_what_is_missing(
    casino: Casino, connection_id: UUID, log: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    """A page in the making holds the default partition, for which every new partition waits."""
    drop(casino, max(bounds(casino, BODIES)))
    left = iter([True] * 4 + [False])
    with ThreadPoolExecutor(1) as threads, casino.superuser.transaction():
        casino.superuser.execute("SELECT FROM integration_api_log_bodies")
        job = threads.submit(partitions.make, casino.database("hub"), lambda: next(left), {})
        for number in range(20):
            log(number)
        error = job.exception()

    assert isinstance(error, PartitionsMissing)
    assert "LockNotAvailable" in str(error)
    assert [record.message for record in caplog.records].count("A step has to wait") == 4
    assert len(page(casino, connection_id)) == 20
    assert made(casino) == {"made": 1, "overflowed": 0}


def test_step_waits_for_a_lock_for_a_shorter_time_than_callers(casino: Casino) -> None:
    """Callers queue behind it."""
    setting = "SELECT current_setting('lock_timeout')::interval"
    with psycopg.connect(casino.urls["hub"]) as database:
        callers = database.execute(setting).fetchone()
        database.execute("SELECT partitions_limits_v1()")
        assert database.execute(setting).fetchone() == (timedelta(milliseconds=200),)
        assert callers is not None
        assert callers[0] > timedelta(seconds=1)
        limit = database.execute("SELECT current_setting('statement_timeout')::interval").fetchone()
        assert limit is not None
        assert timedelta(seconds=30) < limit[0] < timedelta(seconds=partitions.STEP)


def test_connection_is_deleted_and_its_calls_are_kept(
    casino: Casino, connection_id: UUID, log: Callable[..., None]
) -> None:
    log(1)
    casino.superuser.execute("DELETE FROM integration_connections WHERE connection_id = %s", [connection_id])

    assert [row.request_body for row in page(casino, connection_id)] == ["sent 1"]


def test_key_of_a_connection_is_changed_and_its_calls_keep_the_old_one(
    casino: Casino, connection_id: UUID, log: Callable[..., None]
) -> None:
    log(1)
    changed = casino.value(
        "UPDATE integration_connections SET connection_id = gen_random_uuid() WHERE connection_id = %s "
        "RETURNING connection_id",
        [connection_id],
    )

    assert page(casino, changed) == []
    assert [row.request_body for row in page(casino, connection_id)] == ["sent 1"]


def test_bodies_of_a_page_are_planned_in_the_partitions_of_their_days_only(
    casino: Casino, log: Callable[..., None]
) -> None:
    """Planning takes about 0.1 ms for each partition, and there is one for each day."""
    log(1)
    keys = {"times": [casino.value("SELECT now()")] * 50, "calls": list(range(50))}
    with casino.database("hub").transaction(casino.tenant_id) as transaction:
        plan = transaction.execute(f"EXPLAIN {call_log_listing.BODIES}".encode(), keys).fetchall()

    planned = {name.removesuffix("_pkey") for name in re.findall(rf"{BODIES}_\w+", str(plan))}
    assert planned == {of_present(casino)[1]}


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
