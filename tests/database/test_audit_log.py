"""The audit log: written together with its change or not at all, one chain per tenant, read in complete pages."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, timedelta
from hashlib import sha256
from threading import Event
from typing import Any, Literal
from uuid import uuid4

import psycopg
import pytest
from psycopg import Rollback, conninfo, errors
from psycopg.rows import namedtuple_row

from causeway.audit_log import entries, listing
from causeway.audit_log.entries import DEPLOYMENT, Action, Entry, record
from causeway.audit_log.listing import PAGES
from causeway.audit_log.requests import AuditQuery
from causeway.audit_log.spreadsheet import as_csv
from causeway.database.postgres import Database
from causeway.errors.requests import InvalidRequest
from causeway.wire.pages import filter_digest
from tests.database.audit_hub import CREATED, Hub, opened_hub
from tests.database.clones import Cluster
from tests.database.parallel import at_once
from tests.findings import none_of


@pytest.fixture(scope="module")
def shared(cluster: Cluster) -> Iterator[Hub]:
    """A hub for the module; each test makes its own tenants; verified after the last."""
    with opened_hub(cluster) as hub:
        yield hub
        none_of(hub.findings())


def test_entry_has_actor_action_object_states_and_source(shared: Hub) -> None:
    """HUB 44."""
    tenant_id = shared.tenant()
    changed = replace(CREATED, action=Action.CONNECTION_CHANGED, before=CREATED.after, after={"name": "Other"})

    assert shared.write(tenant_id, CREATED, changed) == [1, 2]
    newest, oldest = shared.read(tenant_id)

    names = ("action", "actor_kind", "actor", "actor_role", "object_kind", "object_id", "outcome", "before", "after",
             "source_ip", "request_id")  # fmt: skip
    for entry, found in ((changed, newest), (CREATED, oldest)):
        assert {name: getattr(found, name) for name in names} == {name: getattr(entry, name) for name in names}
    assert (oldest.entry, newest.entry, oldest.tenant_id) == (1, 2, tenant_id)
    assert oldest.at <= newest.at


def test_times_are_told_in_utc_whatever_the_zone_of_the_sessions_role(shared: Hub) -> None:
    """In JSON and in the CSV."""
    tenant_id = shared.tenant()
    in_dubai = Database(conninfo=conninfo.make_conninfo(shared.urls["hub"], options="-c TimeZone=Asia/Dubai"))
    shared.databases.append(in_dubai)
    with in_dubai.transaction(tenant_id) as transaction:
        record(transaction, CREATED)
        [found] = listing.page(transaction, AuditQuery(), AuditQuery().request(PAGES.listing, tenant_id)).entries

    assert found.at.utcoffset() == timedelta(hours=4)
    assert found.as_json()["at"] == found.at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    assert f'"{found.at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"' in as_csv([found])


def test_hash_follows_its_documentation(shared: Hub) -> None:
    """Anybody can verify the hashes of an export: the hashed text is written out here, not made by the verifier."""
    tenant_id = shared.tenant()
    shared.write(tenant_id, replace(CREATED, after={"b": 'say "ü"\n\u001f\u007f', "a": 1.50}, actor=None))
    [found] = shared.read(tenant_id)

    text = (
        f'["{tenant_id}", "1", "{found.at:%Y-%m-%dT%H:%M:%S.%fZ}", "person", null, "tenant_admin", '
        '"connection.created", "connection", "connection-1", "done", null, '
        r'"{\"a\": 1.5, \"b\": \"say \\\"ü\\\"\\n\\u001f' + "\u007f" + r'\"}", "198.51.100.7", "request-1"]'
    )
    assert found.hash == sha256(text.encode()).hexdigest()


def test_rolled_back_change_leaves_no_entry_and_no_gap(shared: Hub) -> None:
    """HUB 44: the entry is committed or rolled back with the change."""
    tenant_id = shared.tenant()
    shared.write(tenant_id, CREATED)

    with shared.database().transaction(tenant_id) as transaction:
        assert entries.record(transaction, CREATED) == 2
        raise Rollback

    assert [found.entry for found in shared.read(tenant_id)] == [1]
    assert shared.write(tenant_id, CREATED) == [2]


def test_rolled_back_first_entry_leaves_no_chain(shared: Hub) -> None:
    tenant_id = shared.tenant()
    with shared.database().transaction(tenant_id) as transaction:
        entries.record(transaction, CREATED)
        raise Rollback

    assert shared.write(tenant_id, CREATED) == [1]


def test_refused_attempt_is_written_after_its_transaction_has_ended(shared: Hub) -> None:
    """HUB 44: refused attempts are in the log."""
    tenant_id, database = shared.tenant(), shared.database()
    refusal = replace(CREATED, action=Action.ACCESS_REFUSED, outcome="refused", after=None)
    with database.transaction(tenant_id) as transaction:
        entries.record(transaction, CREATED)
        raise Rollback

    assert entries.record_in_own_transaction(database, tenant_id, refusal) == 1
    [found] = shared.read(tenant_id)
    assert (found.action, found.outcome) == ("access.refused", "refused")


REFUSED = replace(CREATED, action=Action.ACCESS_REFUSED, outcome="refused", after={"route": "GET /audit"})


def test_equal_attempts_are_one_entry_in_five_minutes_and_the_next_has_their_count(shared: Hub) -> None:
    """HUB 44: a caller with few rights cannot fill the tenant's chain."""
    tenant_id = shared.tenant()
    written = shared.write(tenant_id, *[replace(REFUSED, request_id=f"call {n}") for n in range(40)])
    shared.superuser.execute("UPDATE audit_refusals SET written_at = written_at - interval '6 minutes'")
    later = shared.write(tenant_id, *[REFUSED] * 3)
    shared.superuser.execute("UPDATE audit_refusals SET written_at = written_at - interval '6 minutes'")
    last = shared.write(tenant_id, replace(REFUSED, after=None), REFUSED)
    newest = shared.read(tenant_id)

    assert written == [1, *[None] * 39]
    assert later == [2, None, None]
    assert last == [3, 4]
    assert [entry.after for entry in newest] == [
        {"route": "GET /audit", "alsoRefused": 2},
        None,
        {"route": "GET /audit", "alsoRefused": 39},
        {"route": "GET /audit"},
    ]
    none_of(shared.findings())


@pytest.mark.parametrize(
    "other",
    [
        {"actor": "subject-2"},
        {"actor": None},
        {"actor_kind": "machine"},
        {"action": Action.MEMBERSHIP_SUSPENDED},
        {"object_kind": "permission"},
        {"object_id": "connection-2"},
        {"after": {"route": "GET /api-keys"}},
        {"after": None},
    ],
    ids=str,
)
def test_different_attempts_are_separate_entries(shared: Hub, other: dict[str, Any]) -> None:
    """Another tenant's attempts are separate too."""
    tenant_id = shared.tenant()

    assert shared.write(tenant_id, REFUSED, replace(REFUSED, **other), REFUSED) == [1, 2, None]
    assert shared.write(shared.tenant(), REFUSED) == [1]


@pytest.mark.parametrize("outcome", ["done", "failed"])
def test_done_or_failed_action_is_always_an_entry(shared: Hub, outcome: Literal["done", "failed"]) -> None:
    assert shared.write(shared.tenant(), *[replace(REFUSED, outcome=outcome)] * 3) == [1, 2, 3]


def test_concurrent_attempts_are_one_entry_and_each_is_counted(shared: Hub) -> None:
    tenant_id = shared.tenant()
    written = at_once([lambda: shared.write(tenant_id, REFUSED)] * 16)
    counted = shared.superuser.execute("SELECT counted FROM audit_refusals WHERE tenant_id = %s", [tenant_id])

    assert sorted(written, key=str) == [[1], *[[None]] * 15]
    assert counted.fetchall() == [(15,)]


def test_rolled_back_attempt_is_not_counted(shared: Hub) -> None:
    tenant_id = shared.tenant()
    with shared.database().transaction(tenant_id) as transaction:
        entries.record(transaction, REFUSED)
        raise Rollback

    assert shared.write(tenant_id, REFUSED) == [1]


@pytest.mark.parametrize(
    "junk",
    [
        "\0",
        "a\0b",
        "\ud800",
        "\uffff",
        "x" * 100_000,
        "ÿ" * 5000,
        "\U0001f4a9" * 5000,
        "'; DROP TABLE audit_log; --",
        "",
    ],
)
def test_entry_of_a_refused_caller_is_written_whatever_was_sent(shared: Hub, junk: str) -> None:
    tenant_id = shared.tenant()
    deep: dict[str, Any] = {junk: [junk, float("nan"), float("-inf"), 10**400, {"when": timedelta(1)}]}
    entry = Entry(Action.ACCESS_REFUSED, "machine", junk, junk, junk, junk, "refused", deep, deep, junk, junk)

    assert entries.record_in_own_transaction(shared.database(), tenant_id, entry) == 1
    [found] = shared.read(tenant_id)
    assert found.actor is not None
    assert len(found.actor) <= 200
    for only in ({"actor": junk}, {"object_kind": junk, "object_id": junk}):
        cursor = PAGES.listing.cursor(tenant_id, (2**63 - 1,), filtered=filter_digest(only))
        assert shared.read(tenant_id, **only, cursor=cursor) == [found]
    assert shared.read(tenant_id, action=junk, outcome=junk) == []
    assert "NaN" not in json.dumps(found.after, allow_nan=False)


def test_entry_keeps_every_value_although_names_are_cut(shared: Hub) -> None:
    tenant_id = shared.tenant()
    long = "x" * 250
    shared.write(tenant_id, replace(REFUSED, after={f"{long}1": b"a", f"{long}2": {"b"}, 3: None, "y" * 200: 4}))

    [found] = shared.read(tenant_id)
    cut = "x" * 199 + "…"
    assert found.after == {cut: "b'a'", f"{cut} (2)": "{'b'}", "3": None, "y" * 200: 4}


@pytest.mark.parametrize(
    "entry",
    [
        replace(CREATED, outcome="perhaps"),
        replace(CREATED, actor_kind="ghost"),
        replace(CREATED, action="Created"),
        replace(CREATED, action="connection.created; "),
    ],
)
def test_malformed_entry_is_refused(shared: Hub, entry: Entry) -> None:
    tenant_id = shared.tenant()
    with shared.as_tenant("hub", tenant_id) as transaction, pytest.raises(errors.CheckViolation):
        entries.record(transaction, entry)


def test_table_accepts_every_action(shared: Hub) -> None:
    tenant_id = shared.tenant()
    assert shared.write(tenant_id, *(replace(CREATED, action=action) for action in Action)) == [
        *range(1, len(Action) + 1)
    ]


def test_tenants_have_separate_chains_and_see_only_their_own(shared: Hub) -> None:
    one, other = shared.tenant(), shared.tenant()
    shared.write(one, CREATED, CREATED)
    assert shared.write(other, CREATED) == [1]

    assert {found.tenant_id for found in shared.read(other)} == {other}
    with psycopg.connect(shared.urls["hub"], autocommit=True) as database:
        assert database.execute("SELECT count(*) FROM audit_log").fetchone() == (0,)
        with database.transaction():
            database.execute("SELECT set_config('causeway.tenant_id', %s::text, true)", [other])
            assert database.execute("SELECT array_agg(tenant_id) FROM audit_log").fetchone() == ([other],)


def test_transaction_without_a_tenant_writes_nothing(shared: Hub) -> None:
    with psycopg.connect(shared.urls["hub"], autocommit=True) as database:
        with pytest.raises(psycopg.Error) as raised:
            entries.record(database, CREATED)
        assert raised.value.sqlstate == "CW008"


def test_chain_of_an_unknown_tenant_cannot_start(shared: Hub) -> None:
    with shared.as_tenant("hub", uuid4()) as transaction, pytest.raises(errors.ForeignKeyViolation):
        entries.record(transaction, CREATED)


def test_deployments_chain_is_hidden_from_tenants_and_its_id_cannot_be_a_tenants(shared: Hub) -> None:
    template = replace(CREATED, action=Action.TEMPLATE_CHANGED, actor_role="super_admin", object_kind="template")
    tenant_id = shared.tenant()
    shared.write(DEPLOYMENT, template)

    assert [found.action for found in shared.read(DEPLOYMENT)] == ["template.changed"]
    assert shared.read(tenant_id) == []
    with pytest.raises(errors.CheckViolation, match="tenants_not_the_deployment"):
        shared.superuser.execute(
            "INSERT INTO tenants (tenant_id, code, display_name) VALUES (%s, 'DEPLOYMENT', 'Not one')", [DEPLOYMENT]
        )


def test_tenant_with_a_chain_cannot_be_deleted(shared: Hub) -> None:
    tenant_id = shared.tenant()
    shared.write(tenant_id, CREATED)
    with pytest.raises(errors.ForeignKeyViolation):
        shared.superuser.execute("DELETE FROM tenants WHERE tenant_id = %s", [tenant_id])


WRITES = [
    "INSERT INTO {table} DEFAULT VALUES",
    "UPDATE {table} SET tenant_id = tenant_id",
    "DELETE FROM {table}",
    "TRUNCATE {table} CASCADE",
]


@pytest.mark.parametrize("login", ["hub", "casino", "provider", "auditor"])
@pytest.mark.parametrize("table", ["audit_log", "audit_log_heads"])
@pytest.mark.parametrize("write", WRITES)
def test_login_can_write_to_the_log_only_through_its_function(shared: Hub, login: str, table: str, write: str) -> None:
    with (
        psycopg.connect(shared.urls[login], autocommit=True) as database,
        pytest.raises(errors.InsufficientPrivilege, match=f"permission denied for table {table}"),
    ):
        database.execute(write.format(table=table).encode())


@pytest.mark.parametrize("login", ["casino", "provider", "auditor"])
def test_only_the_hub_may_append(shared: Hub, login: str) -> None:
    tenant_id = shared.tenant()
    with shared.as_tenant(login, tenant_id) as transaction, pytest.raises(errors.InsufficientPrivilege):
        entries.record(transaction, CREATED)


def test_casino_appends_entries_about_launches_only(shared: Hub) -> None:
    """WALLET 47: launches for another person are in the log; the casino's login can write no other entries."""
    tenant_id = shared.tenant()
    opened = replace(CREATED, action=Action.SESSION_OPENED, outcome="done")
    refused = replace(CREATED, action=Action.ACCESS_REFUSED, outcome="refused")
    with shared.as_tenant("casino", tenant_id) as transaction:
        assert [entries.record(transaction, entry, launch=True) for entry in (opened, refused)] == [1, 2]
    for entry in (CREATED, replace(opened, outcome="refused"), replace(refused, outcome="done")):
        with shared.as_tenant("casino", tenant_id) as transaction, pytest.raises(psycopg.Error, match="launches only"):
            entries.record(transaction, entry, launch=True)


@pytest.mark.parametrize("login", ["casino", "provider"])
def test_other_zones_cannot_read_the_log(shared: Hub, login: str) -> None:
    with psycopg.connect(shared.urls[login]) as database, pytest.raises(errors.InsufficientPrivilege):
        database.execute("SELECT FROM audit_log")


@pytest.mark.parametrize("login", ["owner", "superuser"])
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit_log SET actor = 'somebody else' WHERE false",
        "DELETE FROM audit_log WHERE false",
        "TRUNCATE audit_log",
        "TRUNCATE audit_log_heads, audit_log",
        "DELETE FROM audit_log_heads WHERE false",
        "INSERT INTO audit_log SELECT * FROM audit_log ON CONFLICT (tenant_id, entry) DO UPDATE SET actor = 'x'",
    ],
)
def test_log_refuses_changes_even_by_its_owner_and_a_superuser(shared: Hub, login: str, change: str) -> None:
    with psycopg.connect(shared.urls[login], autocommit=True) as database, pytest.raises(psycopg.Error) as raised:
        database.execute(change.encode())
    assert (raised.value.sqlstate, "append-only" in str(raised.value)) == ("CW001", True)


def test_appending_role_cannot_change_entries(shared: Hub) -> None:
    """In a migration the owner may act as causeway_auditlog."""
    with psycopg.connect(shared.urls["owner"], autocommit=True) as database:
        database.execute("SET ROLE causeway_auditlog")
        for change in ("UPDATE audit_log SET actor = 'x'", "DELETE FROM audit_log", "SELECT FROM audit_log"):
            with pytest.raises(errors.InsufficientPrivilege):
                database.execute(change.encode())
        with pytest.raises(errors.InsufficientPrivilege):
            database.execute("CREATE TABLE of_its_own ()")


def test_appending_function_pins_its_search_path_and_its_owner_has_no_other_rights(shared: Hub) -> None:
    [function] = shared.superuser.execute(
        "SELECT pg_get_userbyid(proowner), prosecdef, proconfig FROM pg_proc WHERE proname = 'audit_append_v1'"
    ).fetchall()
    [role] = shared.superuser.execute(
        """
        SELECT rolcanlogin, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication
        FROM pg_roles WHERE rolname = 'causeway_auditlog'
        """
    ).fetchall()
    members = shared.superuser.execute(
        "SELECT member::regrole::text FROM pg_auth_members WHERE roleid = 'causeway_auditlog'::regrole"
    ).fetchall()

    assert function == ("causeway_auditlog", True, ["search_path=public, pg_temp"])
    assert not any(role)
    assert {name for (name,) in members} <= {"causeway_owner", "postgres"}


def test_callers_temporary_tables_do_not_replace_the_log(shared: Hub) -> None:
    tenant_id = shared.tenant()
    with psycopg.connect(shared.urls["hub"], autocommit=True, row_factory=namedtuple_row) as database:
        database.execute("CREATE TEMP TABLE audit_log AS SELECT * FROM audit_log")
        database.execute("SET search_path = pg_temp, public")
        with database.transaction():
            database.execute("SELECT set_config('causeway.tenant_id', %s::text, true)", [tenant_id])
            assert entries.record(database, CREATED) == 1
    assert [found.entry for found in shared.read(tenant_id)] == [1]


def test_every_table_has_row_security_forced_and_one_policy_for_a_command_and_role(shared: Hub) -> None:
    """HUB 42, for the log's own tables."""
    rows = shared.superuser.execute(
        """
        SELECT relname, relrowsecurity AND relforcerowsecurity FROM pg_class
        WHERE relname IN ('audit_log', 'audit_log_heads', 'audit_refusals')
        """
    ).fetchall()
    policies = shared.superuser.execute(
        "SELECT tablename, cmd, unnest(roles)::text FROM pg_policies WHERE tablename LIKE 'audit_%'"
    ).fetchall()

    assert sorted(rows) == [("audit_log", True), ("audit_log_heads", True), ("audit_refusals", True)]
    assert sorted(policies) == [
        ("audit_log", "INSERT", "causeway_auditlog"),
        ("audit_log", "SELECT", "causeway_auditor"),
        ("audit_log", "SELECT", "causeway_hub"),
        ("audit_log_heads", "INSERT", "causeway_auditlog"),
        ("audit_log_heads", "SELECT", "causeway_auditlog"),
        ("audit_log_heads", "SELECT", "causeway_auditor"),
        ("audit_log_heads", "UPDATE", "causeway_auditlog"),
        *(("audit_refusals", command, "causeway_auditlog") for command in ("INSERT", "SELECT", "UPDATE")),
    ]


def test_parallel_writers_make_one_chain_without_a_gap(shared: Hub) -> None:
    """HUB 44: 32 concurrent writers, of which a third roll back; the deployment's and another tenant's chains too."""
    tenants = [shared.tenant(), shared.tenant(), DEPLOYMENT]
    before = [len(shared.read(tenant_id, limit=1000)) for tenant_id in tenants]

    def write(writer: int) -> int:
        database, written = Database(conninfo=shared.urls["hub"]), 0
        tenant_id = tenants[0 if writer < 24 else 1 + writer % 2]
        for turn in range(12):
            with database.transaction(tenant_id) as transaction:
                entries.record(transaction, replace(CREATED, request_id=f"{writer} {turn}"))
                if (writer + turn) % 3 == 0:
                    raise Rollback
                written += 1
        database.close()
        return written

    written = at_once([lambda writer=writer: write(writer) for writer in range(32)])

    assert sum(written[:24]) == 24 * 12 * 2 // 3
    for tenant_id, known, new in zip(
        tenants, before, (sum(written[:24]), sum(written[24::2]), sum(written[25::2])), strict=True
    ):
        found = shared.read(tenant_id, limit=1000)
        assert [entry.entry for entry in reversed(found)] == [*range(1, known + new + 1)]
        assert [entry.at for entry in reversed(found)] == sorted(entry.at for entry in found)
    requests = [entry.request_id for entry in shared.read(tenants[0], limit=1000)]
    assert len(set(requests)) == len(requests)
    none_of(shared.findings())


def test_filters_find_exactly_the_matching_entries(shared: Hub) -> None:
    tenant_id = shared.tenant()
    shared.write(
        tenant_id,
        CREATED,
        replace(CREATED, action=Action.CREDENTIAL_UNREADABLE, actor="key-1", actor_kind="machine"),
        replace(CREATED, object_id="connection-2", outcome="failed"),
        replace(CREATED, object_kind="template"),
    )
    times = {found.entry: found.at for found in shared.read(tenant_id)}

    def entries(**only: Any) -> list[int]:
        return [found.entry for found in shared.read(tenant_id, **only)]

    assert entries() == [4, 3, 2, 1]
    assert entries(action="credential.unreadable") == [2]
    assert entries(actor="subject-1") == [4, 3, 1]
    assert entries(object_kind="connection", object_id="connection-1") == [2, 1]
    assert entries(outcome="failed") == [3]
    assert entries(since=times[3]) == [4, 3]
    assert entries(until=times[3]) == [2, 1]
    assert entries(since=times[2], until=times[4], actor="subject-1") == [3]
    assert entries(actor="nobody") == []


@pytest.mark.parametrize("limit", [0, -1, 1001])
def test_limit_out_of_bounds_is_refused(limit: int) -> None:
    with pytest.raises(InvalidRequest, match="1 to 1000"):
        AuditQuery.parse({"limit": str(limit)})


def test_pages_are_complete_while_others_write(shared: Hub) -> None:
    """HUB 44: each entry that exists when reading begins is read exactly once, whatever is written meanwhile."""
    tenant_id, stop = shared.tenant(), Event()
    shared.write(tenant_id, *[CREATED] * 100)

    def write() -> list[list[int]]:
        written: list[int] = []
        database = Database(conninfo=shared.urls["hub"])
        while not stop.is_set():
            written.append(entries.record_in_own_transaction(database, tenant_id, CREATED) or 0)
        database.close()
        return [written]

    def read() -> list[list[int]]:
        readings: list[list[int]] = []
        database = Database(conninfo=shared.urls["hub"])
        try:
            for _ in range(10):
                seen, query = list[int](), {"limit": "17"}
                while not seen or "cursor" in query:
                    with database.transaction(tenant_id) as transaction:
                        only = AuditQuery.parse(query)
                        page = listing.page(transaction, only, only.request(PAGES.listing, tenant_id))
                    seen += [entry.entry for entry in page.entries]
                    query = {"limit": "17"} | ({} if page.next_cursor is None else {"cursor": page.next_cursor})
                readings.append(seen)
        finally:
            stop.set()
            database.close()
        return readings

    readings, *written = at_once([read, *[write] * 4])

    for seen in readings:
        assert seen == [*range(max(seen), 0, -1)]
    assert max(readings[-1]) > 100
    assert sorted(number for [numbers] in written for number in numbers) == [
        *range(101, 101 + sum(len(numbers) for [numbers] in written))
    ]
