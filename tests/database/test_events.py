"""The outbox: an event is committed with its change, stays in its tenant, keeps the table's rules, and is swept."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, get_args
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import errors as pg

from causeway.audit_log.entries import Action
from causeway.database.postgres import Database
from causeway.errors.tree import CausewayError
from causeway.events import outbox, retention
from causeway.events.outbox import Event, Kind
from causeway.jobs.invocations import TimeBudget
from causeway.jobs.sweeping import delete_in_batches
from tests.database.world import Casino


class Color(Enum):
    """An Enum that is not a text itself."""

    RED = ("red",)


LOGINS = ["hub", "credentials", "casino"]


def event(**changes: Any) -> Event:
    """An event that the outbox accepts, with these fields changed."""
    return replace(Event("connection", "created", "connection", str(uuid4()), 1, {"name": "Twilio"}), **changes)


def write(database: Database, casino: Casino, *events: Event) -> None:
    """Write events in one transaction of the tenant."""
    with database.transaction(casino.tenant_id) as transaction:
        for one in events:
            outbox.write(transaction, one)


def stored(casino: Casino) -> list[Any]:
    """The tenant's events, oldest first."""
    statement = "SELECT * FROM events_out WHERE tenant_id = %s ORDER BY created_at"
    return casino.query(statement, [casino.tenant_id])


def fill(casino: Casino, count: int, age: str) -> None:
    """Store this many events of this age."""
    casino.query(
        """
        INSERT INTO events_out (tenant_id, type, object_kind, object_id, version, payload, created_at)
        SELECT %s, 'sync.finished', 'sync_run', n::text, 1, '{}', now() - %s::interval FROM generate_series(1, %s) AS n
        """,
        [casino.tenant_id, age, count],
    )


@pytest.fixture
def theirs(casino: Casino) -> Iterator[Casino]:
    """Another tenant of the same database."""
    other = Casino(casino.urls)
    yield other
    other.close()


# ---- Written with its change ----


@pytest.mark.parametrize("login", LOGINS)
def test_event_is_stored_as_written(casino: Casino, login: str) -> None:
    wanted = event(kind="wallet", what="limit_changed", version=7, payload={"before": None, "after": [1, "\u00e9"]})
    write(casino.database(login), casino, wanted)

    [row] = stored(casino)
    assert (row.type, row.object_kind, row.object_id) == ("wallet.limit_changed", "connection", wanted.object_id)
    assert (row.version, row.payload) == (7, wanted.payload)
    assert isinstance(row.event_id, UUID)


def test_event_is_rolled_back_with_its_change(casino: Casino) -> None:
    database = casino.database("hub")
    with suppress(LookupError), database.transaction(casino.tenant_id) as transaction:
        outbox.write(transaction, event())
        raise LookupError

    assert stored(casino) == []


def test_event_is_invisible_before_its_change_is_committed(casino: Casino) -> None:
    with casino.database("hub").transaction(casino.tenant_id) as transaction:
        outbox.write(transaction, event())
        assert stored(casino) == []
    assert len(stored(casino)) == 1


def test_events_of_one_transaction_keep_their_order(casino: Casino) -> None:
    write(casino.database("hub"), casino, *(event(version=version) for version in range(1, 6)))

    assert [row.version for row in stored(casino)] == [1, 2, 3, 4, 5]


# ---- The tenant's own ----


@pytest.mark.parametrize("login", LOGINS)
def test_event_of_another_tenant_cannot_be_written(casino: Casino, theirs: Casino, login: str) -> None:
    """HUB 42"""
    insert = """
        INSERT INTO events_out (tenant_id, type, object_kind, object_id, version, payload)
        VALUES (%s, 'connection.created', 'connection', 'id', 1, '{}')
    """
    with psycopg.connect(casino.urls[login]) as database:
        database.execute("SELECT enter_tenant_v1(%s)", [casino.tenant_id])
        with pytest.raises(pg.InsufficientPrivilege, match="row-level security"):
            database.execute(insert, [theirs.tenant_id])
        database.rollback()
        with pytest.raises(pg.InsufficientPrivilege, match="row-level security"):
            database.execute(insert, [casino.tenant_id])  # the transaction has set no tenant


def test_events_are_hidden_from_other_tenants_even_from_a_login_that_may_read_them(
    casino: Casino, theirs: Casino
) -> None:
    """HUB 42: shown with a role that has the grant which the future sender will have."""
    for one in (casino, theirs):
        write(one.database("hub"), one, event())
    with casino.superuser.transaction(force_rollback=True):
        casino.query("CREATE ROLE causeway_probe")
        casino.query("GRANT SELECT ON events_out TO causeway_probe")
        casino.query(
            "CREATE POLICY probe ON events_out FOR SELECT TO causeway_probe USING (tenant_id = current_tenant())"
        )
        casino.query("SET LOCAL ROLE causeway_probe")
        assert casino.query("SELECT FROM events_out") == []
        casino.query("SELECT set_config('causeway.tenant_id', %s::text, true)", [casino.tenant_id])
        assert [row.tenant_id for row in casino.query("SELECT tenant_id FROM events_out")] == [casino.tenant_id]


@pytest.mark.parametrize("login", [*LOGINS, "provider", "auditor"])
@pytest.mark.parametrize(
    "statement", ["SELECT payload FROM events_out", "UPDATE events_out SET version = 2", "DELETE FROM events_out"]
)
def test_no_login_reads_changes_or_deletes_events(casino: Casino, login: str, statement: str) -> None:
    with psycopg.connect(casino.urls[login]) as database, pytest.raises(pg.InsufficientPrivilege):
        database.execute(statement.encode())


@pytest.mark.parametrize("login", LOGINS)
def test_no_login_can_set_the_time_of_an_event(casino: Casino, login: str) -> None:
    """It would be deleted too early, or never."""
    with psycopg.connect(casino.urls[login]) as database, pytest.raises(pg.InsufficientPrivilege):
        database.execute("INSERT INTO events_out (created_at) VALUES ('infinity')")


@pytest.mark.parametrize("login", ["provider", "auditor"])
def test_other_logins_write_no_events(casino: Casino, login: str) -> None:
    with psycopg.connect(casino.urls[login]) as database, pytest.raises(pg.InsufficientPrivilege):
        database.execute("INSERT INTO events_out (type) VALUES ('connection.created')")


# ---- The rules of its fields ----


@pytest.mark.parametrize("kind", get_args(Kind))
def test_every_kind_of_the_code_is_known_to_the_table(casino: Casino, kind: Kind) -> None:
    write(casino.database("hub"), casino, event(kind=kind))

    assert [row.type for row in stored(casino)] == [f"{kind}.created"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "tenant"},
        {"kind": ""},
        {"kind": "Connection"},
        {"kind": "xconnection"},
        {"what": ""},
        {"what": "Created"},
        {"what": "created.again"},
        {"what": "created\n"},
        {"what": "x" * 64},
        {"object_kind": ""},
        {"object_kind": "sync run"},
        {"object_id": ""},
        {"object_id": "x" * 256},
        {"version": 0},
        {"version": -1},
        {"payload": {"text": "x" * 65536}},
        # Bytes, not characters.
        {"payload": {"text": "\u00e9" * 40000}},
    ],
    ids=str,
)
def test_event_that_breaks_a_rule_is_refused_with_its_change(casino: Casino, wrong: dict[str, Any]) -> None:
    with pytest.raises(CausewayError, match="CheckViolation"):
        write(casino.database("hub"), casino, event(), event(**wrong))

    assert stored(casino) == []


def test_largest_payload_and_longest_texts_are_stored(casino: Casino) -> None:
    # As jsonb writes it: {"text": "..."}
    largest = {"text": "x" * (65536 - len('{"text": ""}'))}
    write(casino.database("hub"), casino, event(payload=largest, object_id="x" * 255, what="x" * 63))

    assert [row.payload for row in stored(casino)] == [largest]


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("a\0b", "a\ufffdb"),
        ("a\ud800b", "a?b"),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (UUID(int=1), str(UUID(int=1))),
        (datetime(2026, 1, 31, 12, tzinfo=UTC), "2026-01-31T12:00:00+00:00"),
        (date(2026, 1, 31), "2026-01-31"),
        (Decimal("1.50"), "1.50"),
        (Color.RED, ["red"]),
        (Action.SYNC_ENDED, "sync.ended"),
        (("a\0", {"\0": "\ud800"}), ["a\ufffd", {"\ufffd": "?"}]),
    ],
    ids=ascii,
)
def test_value_that_postgres_cannot_store_rolls_back_no_change(casino: Casino, value: Any, kept: Any) -> None:
    """A platform's text is in the payload: whatever it holds, the change is committed."""
    payload = {"text": value, "nested": [{"text": value}]}
    write(casino.database("hub"), casino, event(payload=payload, object_id=f"order \0\ud800 {value}"))

    [row] = stored(casino)
    assert row.payload == {"text": kept, "nested": [{"text": kept}]}
    assert row.object_id.startswith("order \ufffd? ")


@pytest.mark.parametrize(
    "value",
    [
        b"bytes",
        bytearray(b"bytes"),
        {1},
        object(),
        timedelta(1),
        ValueError("x"),
        {1: "name"},
        {b"name": 1},
        [{None: 1}],
    ],
    ids=lambda value: type(value).__name__,
)
def test_value_without_a_form_in_json_is_refused_with_its_change(casino: Casino, value: Any) -> None:
    """Its text may show what is no subscriber's business."""
    with pytest.raises(TypeError, match="cannot be stored as JSON here: give its text"):
        write(casino.database("hub"), casino, event(), event(payload={"nested": [value]}))

    assert stored(casino) == []


def test_every_value_of_a_payload_is_stored_under_a_whole_name(casino: Casino) -> None:
    """Also if names are equal after the replacement, or equal to a name with a number."""
    long = "x" * 300
    write(
        casino.database("hub"),
        casino,
        event(payload={"a\0": 1, "a\ufffd (3)": 2, "a\ufffd": 3, "\ud800": 4, "?": 5, f"{long}1": 6, f"{long}2": 7}),
    )

    [row] = stored(casino)
    assert row.payload == {
        "a\ufffd": 1,
        "a\ufffd (3)": 2,
        "a\ufffd (3) (3)": 3,
        "?": 4,
        "? (5)": 5,
        f"{long}1": 6,
        f"{long}2": 7,
    }


@pytest.mark.parametrize("payload", ["[]", "null", '"text"', "1"])
def test_payload_that_is_not_an_object_is_refused(casino: Casino, payload: str) -> None:
    with pytest.raises(pg.CheckViolation, match="events_out_payload_check"):
        casino.query(
            """
            INSERT INTO events_out (tenant_id, type, object_kind, object_id, version, payload)
            VALUES (%s, 'connection.created', 'connection', 'id', 1, %s)
            """,
            [casino.tenant_id, payload],
        )


# ---- Retention ----


def test_sweep_deletes_old_events_of_all_tenants_in_batches(casino: Casino, theirs: Casino) -> None:
    """HUB 45"""
    fill(casino, 1500, "31 days")
    fill(casino, 2, "29 days")
    fill(theirs, 100, "31 days")
    fill(theirs, 1, "0")
    database = casino.database("hub")

    assert [retention.sweep_batch(database) for _ in range(3)] == [1000, 600, 0]
    assert (len(stored(casino)), len(stored(theirs))) == (2, 1)


def test_sweep_stops_when_its_time_budget_is_used_up(casino: Casino) -> None:
    fill(casino, 1500, "31 days")
    database = casino.database("hub")
    answers = iter([1, 0])

    for has_time, swept in ((lambda: next(answers), 1000), (lambda: 1, 500)):
        counts: dict[str, int] = {}
        delete_in_batches(TimeBudget(has_time), lambda: retention.sweep_batch(database), counts)
        assert counts == {"swept": swept}


def test_sweeps_role_cannot_delete_a_young_event(casino: Casino) -> None:
    fill(casino, 1, "29 days")
    fill(casino, 1, "31 days")
    with casino.superuser.transaction(force_rollback=True):
        casino.query("SET LOCAL ROLE causeway_keeper")
        assert len(casino.query("DELETE FROM events_out WHERE tenant_id IS NOT NULL RETURNING event_id")) == 1
        with pytest.raises(pg.InsufficientPrivilege):
            casino.query("SELECT payload FROM events_out")


def test_tenants_events_are_read_in_order_by_an_index(casino: Casino, theirs: Casino) -> None:
    """Without reading the events of all tenants."""
    for one, count in ((casino, 500), (theirs, 10_000)):
        one.query(
            """
            INSERT INTO events_out (tenant_id, type, object_kind, object_id, version, payload, created_at)
            SELECT %s, 'sync.finished', 'sync_run', 'id', 1, '{}', now() - make_interval(secs => n * 600000.0 / %s)
            FROM generate_series(1, %s) AS n
            """,
            [one.tenant_id, count, count],
        )
    casino.query("ANALYZE events_out")
    plan = casino.query(
        """
        EXPLAIN SELECT event_id FROM events_out
        WHERE tenant_id = %s AND (created_at, event_id) > (now() - interval '5 days', %s)
        ORDER BY created_at, event_id LIMIT 50
        """,
        [casino.tenant_id, uuid4()],
    )
    text = "\n".join(row[0] for row in plan)
    assert "events_out_order" in text
    assert "Sort" not in text
