"""Syncs over HTTP: committed, queued, run once, finished with a reason, and found again if the queue lost them."""

import asyncio
import json
import re
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from datetime import datetime
from secrets import token_hex
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from aws_lambda_powertools import Metrics

from causeway.aws import clients
from causeway.connections import changes
from causeway.connections.requests import ConnectionDraft
from causeway.jobs.invocations import Invocation, TimeBudget
from causeway.jobs.messages import RowMessage
from causeway.platforms.kinds.sync import Result, SyncRun
from causeway.syncs import running, starting
from causeway.tenancy.context import RequestContext
from causeway.wire.preconditions import ANY
from local import ROOT
from local.errors import FunctionError
from local.services.demo_data import TENANTS
from local.stack import Stack
from tests.database.parallel import at_once
from tests.hub.client import (
    ADMIN,
    DEPLOYMENT_ADMIN,
    OURS,
    REGULATOR,
    STAFF,
    SUPER_ADMIN,
    THEIR_ADMIN,
    THEIRS,
    Hub,
    claims_of,
    config,
    draft,
)
from tests.hub.conftest import Platform
from tests.hub.in_process import InProcess

Rows = Callable[..., list[Any]]
Inside = Callable[..., RequestContext]
# Nothing listens at this address.
NOWHERE = "http://127.0.0.1:9"
NO_ENGINE = ("failed", "NO_ENGINE", "This provider's data cannot be synced yet")


@pytest.fixture
def active(hub: Hub, rows: Rows) -> Iterator[str]:
    """The path of a connection that is active, as after a successful test."""
    path = hub.connection()
    switch(rows, path)
    yield path
    # Otherwise the schedule would find a waiting run of this test during another test.
    rows("DELETE FROM sync_runs WHERE connection_id = %s AND status = 'queued'", [path.rsplit("/", 1)[-1]])


def switch(rows: Rows, path: str, *, on: bool = True) -> None:
    statement = "UPDATE integration_connections SET status = %s WHERE connection_id = %s"
    rows(statement, ["active" if on else "error", path.rsplit("/", 1)[-1]])


def runs_of(rows: Rows, path: str) -> list[Any]:
    """A connection's runs in the database, oldest first."""
    return rows("SELECT * FROM sync_runs WHERE connection_id = %s ORDER BY requested_at", [path.rsplit("/", 1)[-1]])


def waiting(rows: Rows, path: str, age: str = "0") -> str:
    """Commit a run of a connection without a message in the queue; returns its id."""
    made = rows(
        """
        INSERT INTO sync_runs (tenant_id, connection_id, status, requested_by, queued_at)
        VALUES (%s, %s, 'queued', 'test', now() - %s::interval) RETURNING run_id::text
        """,
        [TENANTS[OURS], path.rsplit("/", 1)[-1], age],
    )
    return made[0].run_id


def test_sync_is_queued_and_finishes_as_failed_with_its_reason(hub: Hub, rows: Rows, active: str) -> None:
    reply = hub.call("POST", f"{active}/sync")
    asked = reply.json
    run = hub.ended(reply.headers["location"])

    assert (reply.status, asked["status"], asked["reason"], asked["startedAt"]) == (202, "queued", None, None)
    assert "idempotent-replay" not in reply.headers
    assert (run["status"], run["reason"], run["message"]) == NO_ENGINE
    assert run["requestedBy"] == claims_of(hub.token(ADMIN) or "")["sub"]
    times = [datetime.fromisoformat(run[name]) for name in ("requestedAt", "startedAt", "endedAt")]
    assert times == sorted(times)
    assert [(row.status, row.attempts, row.leased_until) for row in runs_of(rows, active)] == [("failed", 1, None)]
    # The failed sync does not count as a sync.
    assert hub.call("GET", active).json["lastSyncAt"] is None


@pytest.mark.parametrize("body", [b"x", b"\xff", b"[]", b'{"full":true}', b'""', b"{} {}"])
@pytest.mark.parametrize("call", ["sync", "test", "disable"])
def test_route_without_a_body_refuses_a_body(hub: Hub, rows: Rows, active: str, call: str, body: bytes) -> None:
    before = hub.call("GET", active).json
    reply = hub.call("POST", f"{active}/{call}", raw=body)

    assert (reply.status, reply.code) == (400, "INVALID_REQUEST")
    assert (runs_of(rows, active), hub.call("GET", active).json) == ([], before)


def test_route_without_a_body_accepts_an_empty_body(hub: Hub, active: str) -> None:
    for body in (b"", b"{}", b" { } \n"):
        assert hub.call("POST", f"{active}/sync", raw=body).status == 202
        hub.synced(active)


def test_start_and_end_are_audited(hub: Hub, active: str) -> None:
    """HUB 44"""
    run = hub.synced(active)
    told = [entry for entry in hub.audited(active) if entry["action"].startswith("sync.")]

    assert [(one["action"], one["actorKind"], one["outcome"]) for one in told] == [
        ("sync.requested", "person", "done"),
        ("sync.ended", "system", "failed"),
    ]
    assert [one["after"] for one in told] == [
        {"runId": run["runId"]},
        {"runId": run["runId"], "status": "failed", "reason": "NO_ENGINE"},
    ]


def test_two_concurrent_triggers_create_one_run(hub: Hub, rows: Rows, active: str) -> None:
    """HUB 27: one trigger creates the run, the others get its id."""
    known = waiting(rows, active)
    replies = at_once([lambda: hub.call("POST", f"{active}/sync")] * 8)

    assert {reply.status for reply in replies} == {202}
    assert {reply.json["runId"] for reply in replies} == {known}
    assert {reply.headers["idempotent-replay"] for reply in replies} == {"true"}
    assert len(runs_of(rows, active)) == 1


def test_concurrent_triggers_are_answered_as_created_or_as_found(hub: Hub, rows: Rows, active: str) -> None:
    """HUB 27: triggers during a run get that run; as many runs exist as answers say "created"."""
    replies = at_once([lambda: hub.call("POST", f"{active}/sync")] * 8)
    made = [reply.json["runId"] for reply in replies if "idempotent-replay" not in reply.headers]

    assert {reply.status for reply in replies} == {202}
    assert {reply.json["runId"] for reply in replies} == set(made)
    assert sorted(str(row.run_id) for row in runs_of(rows, active)) == sorted(made)
    assert {hub.ended(f"{active}/syncs/{run_id}")["reason"] for run_id in made} == {"NO_ENGINE"}


def test_sync_after_a_finished_one_is_new(hub: Hub, rows: Rows, active: str) -> None:
    first, second = hub.synced(active), hub.synced(active)

    assert first["runId"] != second["runId"]
    assert [row.status for row in runs_of(rows, active)] == ["failed", "failed"]


@pytest.mark.parametrize("state", ["error", "disabled"])
def test_connection_that_is_not_active_is_not_synced(hub: Hub, rows: Rows, active: str, state: str) -> None:
    if state == "disabled":
        hub.call("POST", f"{active}/disable")
    else:
        switch(rows, active, on=False)
    reply = hub.call("POST", f"{active}/sync")

    assert (reply.status, reply.code) == (409, "INTEGRATION_NOT_ACTIVE")
    assert runs_of(rows, active) == []
    assert [entry for entry in hub.audited(active) if entry["action"] == "sync.requested"] == []


def test_connection_disabled_while_its_sync_waits_is_not_synced(
    stack: Stack, hub: Hub, rows: Rows, active: str
) -> None:
    run_id = waiting(rows, active, "6 minutes")
    hub.call("POST", f"{active}/disable")
    stack.invoke("sync-sweep", {})
    run = hub.ended(f"{active}/syncs/{run_id}")

    assert (run["status"], run["reason"]) == ("failed", "INTEGRATION_NOT_ACTIVE")


def test_old_keys_and_events_are_deleted_although_syncs_cannot_be_swept(
    stack: Stack, hub: Hub, rows: Rows, active: str
) -> None:
    """The function's query for lost syncs is refused: its call fails, after it has done its other work."""
    key = token_hex(8)
    hub.call("POST", f"{active}/sync", idempotency_key=key)
    rows("UPDATE idempotency_keys SET created_at = now() - interval '2 days' WHERE idempotency_key = %s", [key])
    rows(
        """
        INSERT INTO events_out (tenant_id, type, object_kind, object_id, version, payload, created_at)
        VALUES (%s, 'sync.finished', 'sync_run', %s, 1, '{}', now() - interval '31 days')
        """,
        [TENANTS[OURS], key],
    )
    rows("REVOKE EXECUTE ON FUNCTION sync_runs_due_v1 FROM causeway_hub")
    try:
        with pytest.raises(FunctionError):
            stack.invoke("sync-sweep", {})
    finally:
        rows("GRANT EXECUTE ON FUNCTION sync_runs_due_v1 TO causeway_hub")

    assert rows("SELECT FROM idempotency_keys WHERE idempotency_key = %s", [key]) == []
    assert rows("SELECT FROM events_out WHERE object_id = %s", [key]) == []


def test_unreachable_queue_loses_nothing(stack: Stack, hub: Hub, rows: Rows, active: str, inside: Inside) -> None:
    """HUB 32: committed work is done, with or without the queue."""
    context = inside(
        ADMIN, AWS_ENDPOINT_URL=NOWHERE, SYNC_QUEUE_URL="https://sqs.eu-central-1.amazonaws.com/1/SyncQueue"
    )
    run, made = starting.start(context, UUID(active.rsplit("/", 1)[-1]), ANY)
    path = f"{active}/syncs/{run.run_id}"

    assert (made, hub.call("GET", path).json["status"]) == (True, "queued")
    assert hub.call("POST", f"{active}/sync").json["runId"] == str(run.run_id)
    rows("UPDATE sync_runs SET queued_at = now() - interval '6 minutes' WHERE run_id = %s", [run.run_id])
    assert stack.invoke("sync-sweep", {})["queued"] >= 1
    ended = hub.ended(path)
    assert (ended["status"], ended["reason"], ended["message"]) == NO_ENGINE


def test_run_is_committed_before_it_is_queued(rows: Rows, active: str, inside: Inside) -> None:
    """HUB 32: a worker that gets the message at once finds the run."""
    context = inside(
        ADMIN, AWS_ENDPOINT_URL=NOWHERE, SYNC_QUEUE_URL="https://sqs.eu-central-1.amazonaws.com/1/SyncQueue"
    )
    found: list[Any] = []
    clients.client("sqs").meta.events.register_first("before-call.sqs", lambda **_: found.extend(runs_of(rows, active)))
    run, _ = starting.start(context, UUID(active.rsplit("/", 1)[-1]), ANY)

    assert [row.run_id for row in found] == [run.run_id]


def test_run_with_a_dead_worker_runs_again(stack: Stack, hub: Hub, rows: Rows, active: str) -> None:
    """HUB 27"""
    run_id = waiting(rows, active)
    rows(
        """
        UPDATE sync_runs SET status = 'running', attempts = 1, started_at = now(), leased_until = now() - interval '1 s'
        WHERE run_id = %s
        """,
        [run_id],
    )
    known = hub.call("POST", f"{active}/sync").json
    stack.invoke("sync-sweep", {})
    run = hub.ended(f"{active}/syncs/{run_id}")

    assert (known["runId"], known["status"]) == (run_id, "running")
    assert (run["status"], run["reason"], run["message"]) == NO_ENGINE
    assert [row.attempts for row in runs_of(rows, active)] == [2]


def test_sample_events_are_accepted(stack: Stack) -> None:
    """The run in the sample does not exist, which is no failure."""
    samples = {name: json.loads((ROOT / "events" / f"{name}.json").read_text()) for name in ("sync-run", "sync-sweep")}

    assert stack.invoke("sync-run", samples["sync-run"]) == {"batchItemFailures": []}
    assert set(stack.invoke("sync-sweep", samples["sync-sweep"])) == {
        "limits",
        "queued",
        "failed",
        "refused",
        "left",
        "keys",
        "events",
    }


SWEPT = ("SyncsSweptFailed", "SyncsSweptRefused", "SyncsSweptLeft")
LOST_QUEUE = "https://sqs.eu-central-1.amazonaws.com/1/NoSuchQueue"


@pytest.mark.parametrize(
    ("name", "counted"),
    [
        ("sync-sweep", set(SWEPT)),
        ("key-rotation", {"DataKeysFailed", "CredentialsFailed"}),
    ],
)
def test_scheduled_function_counts_what_alarms_watch(
    stack: Stack, capsys: pytest.CaptureFixture[str], name: str, counted: set[str]
) -> None:
    """The alarms read these metrics by name, some also by service. The other counts are in the log."""
    # As a test leaves it whose handler counted a metric and raised.
    Metrics().add_metric(name="CredentialUnreadable", unit="Count", value=1)
    metrics = scheduled(stack, capsys, name)

    assert metrics["service"] == name
    [directive] = metrics["_aws"]["CloudWatchMetrics"]
    assert (directive["Namespace"], {metric["Name"] for metric in directive["Metrics"]}) == ("causeway-local", counted)


def scheduled(stack: Stack, capsys: pytest.CaptureFixture[str], name: str, **settings: str | None) -> dict[str, Any]:
    """Call a scheduled function's handler; settings: as in InProcess. Returns the metrics that it counts."""
    functions = InProcess(stack, settings)
    capsys.readouterr()
    try:
        asyncio.run(functions.invoke(name, b"{}"))
    finally:
        functions.close()
    return metrics_in(capsys)


def metrics_in(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    [metrics] = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    return metrics


@contextmanager
def refused_row(rows: Rows, table: str, column: str, row_id: str, code: str) -> Generator[None]:
    """The database refuses every update of this row with this SQLSTATE."""
    rows(
        """
        CREATE FUNCTION refuse_row() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'a row that fails' USING ERRCODE = TG_ARGV[0]; END $$
        """
    )
    rows(
        f"CREATE TRIGGER refused BEFORE UPDATE ON {table} FOR EACH ROW WHEN (OLD.{column} = '{row_id}') "
        f"EXECUTE FUNCTION refuse_row('{code}')"
    )
    try:
        yield
    finally:
        rows("DROP FUNCTION refuse_row CASCADE")


# A fault of one row (division_by_zero), after which the others are worked on; one of every row (undefined_function).
FAULTS = [("22012", "Internal", 1), ("42883", "SchemaBehind", 0)]


@pytest.mark.parametrize(("code", "fault", "left"), FAULTS)
def test_run_that_is_given_up_before_a_fault_is_counted(
    stack: Stack,
    hub: Hub,
    rows: Rows,
    active: str,
    capsys: pytest.CaptureFixture[str],
    code: str,
    fault: str,
    left: int,
) -> None:
    """SyncsSweptFailed rings for the run that was committed as failed, also if the sweep fails after it."""
    other = hub.connection()
    switch(rows, other)
    given_up, broken = waiting(rows, other, "9 minutes"), waiting(rows, active, "6 minutes")
    rows(
        """
        UPDATE sync_runs SET status = 'running', attempts = 3, started_at = now(), leased_until = now() - interval '1 s'
        WHERE run_id = %s
        """,
        [given_up],
    )
    with (
        refused_row(rows, "sync_runs", "run_id", broken, code),
        pytest.raises(ExceptionGroup, match=rf"failed parts: syncs: {fault}\("),
    ):
        scheduled(stack, capsys, "sync-sweep")

    metrics = metrics_in(capsys)
    assert [row.status for row in runs_of(rows, other)] == ["failed"]
    assert [metrics[name] for name in SWEPT] == [[1.0], [0.0], [float(left)]]


@pytest.mark.parametrize(("code", "fault", "failed"), FAULTS)
def test_data_key_that_is_rotated_before_a_fault_is_counted(
    stack: Stack, hub: Hub, rows: Rows, capsys: pytest.CaptureFixture[str], code: str, fault: str, failed: int
) -> None:
    hub.connection()
    hub.connection(THEIR_ADMIN)
    for tenant, age in ((OURS, "92 days"), (THEIRS, "91 days")):
        rows(
            "UPDATE tenant_data_keys SET created_at = now() - %s::interval WHERE tenant_id = %s AND status = 'active'",
            [age, TENANTS[tenant]],
        )
    try:
        with (
            refused_row(rows, "tenant_data_keys", "tenant_id", TENANTS[THEIRS], code),
            pytest.raises(ExceptionGroup, match=rf"failed parts: data_keys: {fault}\("),
        ):
            scheduled(stack, capsys, "key-rotation")
        renewed = rows(
            """
            SELECT tenant_id::text FROM tenant_data_keys
            WHERE status = 'active' AND created_at > now() - interval '1 hour' AND tenant_id = ANY(%s)
            """,
            [[TENANTS[OURS], TENANTS[THEIRS]]],
        )
        assert [row.tenant_id for row in renewed] == [TENANTS[OURS]]
    finally:
        rows("UPDATE tenant_data_keys SET created_at = now() WHERE status = 'active'")

    assert metrics_in(capsys)["DataKeysFailed"] == [float(failed)]


def test_sweeper_without_its_queue_fails_and_changes_no_run(
    stack: Stack, rows: Rows, active: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its alarm on errors rings at the first call, before any run is lost."""
    run_id = waiting(rows, active, "6 minutes")
    before = runs_of(rows, active)
    with pytest.raises(ExceptionGroup, match=r"failed parts: syncs: Misconfigured\(.*SYNC_QUEUE_URL"):
        scheduled(stack, capsys, "sync-sweep", SYNC_QUEUE_URL=None)

    assert (runs_of(rows, active), [str(row.run_id) for row in before]) == (before, [run_id])


def logged(stack: Stack, name: str, event: dict[str, Any]) -> tuple[str, list[dict[str, Any]]]:
    """Run a function that fails with this event; returns its error, and the warnings and errors that it logged."""
    log = stack.log(name)
    before = log.stat().st_size
    with pytest.raises(FunctionError) as failed:
        stack.invoke(name, event)
    lines = [json.loads(line) for line in log.read_bytes()[before:].splitlines() if line.startswith(b"{")]
    # The runtime logs the exception too, as errorMessage and without a service.
    return str(failed.value), [
        line for line in lines if "service" in line and line.get("level") in ("WARNING", "ERROR")
    ]


def test_each_failed_part_is_logged_once_and_the_call_names_them_all(stack: Stack, rows: Rows) -> None:
    refused = ("sync_runs_due_v1", "events_sweep_v1")
    for function in refused:
        rows(f"REVOKE EXECUTE ON FUNCTION {function} FROM causeway_hub")
    try:
        error, lines = logged(stack, "sync-sweep", {})
    finally:
        for function in refused:
            rows(f"GRANT EXECUTE ON FUNCTION {function} TO causeway_hub")

    assert re.search("failed parts: syncs: .*sync_runs_due_v1.*, events: .*events_sweep_v1", error)
    assert [line["part"] for line in lines] == ["syncs", "events"]
    assert ["sync_runs_due_v1" in line["exception"] for line in lines] == [True, False]


def test_failed_message_is_logged_with_the_ids_of_the_dead_letter(stack: Stack, rows: Rows, active: str) -> None:
    """docs/deploy.md, Dead letters: an operator looks for the message's ids in the log of SyncRun."""
    run_id = waiting(rows, active)
    with psycopg.connect(stack.database_urls["superuser"]) as other:
        other.execute("SELECT FROM sync_runs WHERE run_id = %s FOR UPDATE", [run_id])
        _, [line] = logged(stack, "sync-run", {"Records": [record(about(run_id), "sqs-1")]})

    assert (line["message"], line["message_id"]) == ("A message failed", "sqs-1")
    assert (line["tenant_id"], line["row_id"]) == (TENANTS[OURS], run_id)
    assert "LockNotAvailable" in line["exception"]


def test_run_that_the_queue_refuses_is_counted(
    stack: Stack, rows: Rows, active: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The alarm SyncsSweptRefused reads the count."""
    waiting(rows, active, "6 minutes")
    metrics = scheduled(stack, capsys, "sync-sweep", SYNC_QUEUE_URL=LOST_QUEUE)

    assert (metrics["SyncsSweptRefused"], metrics["SyncsSweptLeft"]) == ([1.0], [0.0])


def test_run_that_is_locked_is_counted(
    stack: Stack, rows: Rows, active: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The alarm SyncsSweptLeft reads the count."""
    run_id = waiting(rows, active, "6 minutes")
    with psycopg.connect(stack.database_urls["superuser"]) as other:
        other.execute("SELECT FROM sync_runs WHERE run_id = %s FOR UPDATE", [run_id])
        metrics = scheduled(stack, capsys, "sync-sweep")

    assert (metrics["SyncsSweptRefused"], metrics["SyncsSweptLeft"]) == ([0.0], [1.0])


def record(body: str, message_id: str = "") -> dict[str, Any]:
    """A message in the form in which Lambda delivers it."""
    return {
        "messageId": message_id or str(uuid4()),
        "receiptHandle": "handle",
        "body": body,
        "attributes": {"ApproximateReceiveCount": "1"},
        "messageAttributes": {},
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:SyncQueue",
        "awsRegion": "eu-central-1",
    }


def about(run_id: str, tenant_id: str = TENANTS[OURS]) -> str:
    """The body of a message about a run."""
    return json.dumps({"tenantId": tenant_id, "rowId": run_id})


def test_repeated_and_concurrent_messages_run_once(stack: Stack, hub: Hub, rows: Rows, active: str) -> None:
    event = {"Records": [record(about(waiting(rows, active)))]}
    replies = at_once([lambda: stack.invoke("sync-run", event)] * 4)
    replies.append(stack.invoke("sync-run", event))

    assert replies == [{"batchItemFailures": []}] * 5
    assert [(row.status, row.attempts) for row in runs_of(rows, active)] == [("failed", 1)]
    assert len([entry for entry in hub.audited(active) if entry["action"] == "sync.ended"]) == 1


MALFORMED = ["", "{", "[]", "null", "{}", '{"tenantId": "x", "rowId": "y"}', '{"tenantId": 1, "rowId": 2}', "\x00"]


@pytest.mark.parametrize("body", MALFORMED)
def test_foreign_message_fails_alone(stack: Stack, rows: Rows, active: str, body: str) -> None:
    """HUB 33: the other messages of its batch are processed."""
    batch = [record(body, "bad"), record(about(waiting(rows, active)), "good")]

    assert stack.invoke("sync-run", {"Records": batch}) == {"batchItemFailures": [{"itemIdentifier": "bad"}]}
    assert [row.status for row in runs_of(rows, active)] == ["failed"]


def test_completely_failed_batch_is_an_error_of_the_function(stack: Stack) -> None:
    """Otherwise no alarm would ring, and no new version would be rolled back."""
    with pytest.raises(FunctionError, match="All records failed"):
        stack.invoke("sync-run", {"Records": [record("x", "bad")]})


def test_message_about_an_unknown_run_is_dropped(stack: Stack, rows: Rows, active: str) -> None:
    """A message does not find another tenant's run either."""
    run_id = waiting(rows, active)
    for body in (about(str(uuid4())), about(run_id, str(uuid4())), about(run_id, TENANTS[THEIRS])):
        event = {"Records": [record(body)]}
        assert stack.invoke("sync-run", event) == {"batchItemFailures": []}
    assert [row.status for row in runs_of(rows, active)] == ["queued"]


def test_runs_are_listed_page_by_page_newest_first(hub: Hub, rows: Rows, active: str) -> None:
    made = [hub.synced(active) for _ in range(5)]
    found, path = [], f"{active}/syncs?limit=2"
    pages = 0
    cursor: Any = ""
    while cursor is not None:
        page = hub.call("GET", path + (f"&cursor={cursor}" if cursor else "")).json
        found += page["syncs"]
        cursor = page["nextCursor"]
        pages += 1

    assert (found, pages) == (list(reversed(made)), 3)
    assert hub.call("GET", f"{active}/syncs").json == {"syncs": found, "nextCursor": None, "prevCursor": None}


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "cursor=x", f"cursor={UUID(int=1)}", "other=1"])
def test_malformed_query_is_refused(hub: Hub, active: str, query: str) -> None:
    reply = hub.call("GET", f"{active}/syncs?{query}")
    assert (reply.status, reply.code) == (400, "INVALID_REQUEST")


def test_every_role_reads_a_run_and_another_tenant_does_not_find_it(hub: Hub, active: str) -> None:
    """HUB 43"""
    run = hub.synced(active)
    path = f"{active}/syncs/{run['runId']}"

    for caller in (ADMIN, REGULATOR, STAFF, SUPER_ADMIN):
        assert hub.call("GET", path, caller).json == run
        assert hub.call("GET", f"{active}/syncs", caller).json["syncs"] == [run]
    assert hub.call("GET", path, DEPLOYMENT_ADMIN).code == "TENANT_REQUIRED"
    for method, end in (("GET", f"/syncs/{run['runId']}"), ("GET", "/syncs"), ("POST", "/sync")):
        reply = hub.call(method, f"{active}{end}", THEIR_ADMIN)
        assert (reply.status, reply.code) == (404, "CONNECTION_NOT_FOUND")


@pytest.mark.parametrize("caller", [STAFF, REGULATOR])
def test_caller_without_the_permission_cannot_sync(hub: Hub, rows: Rows, active: str, caller: Any) -> None:
    assert hub.call("POST", f"{active}/sync", caller).status == 403
    assert runs_of(rows, active) == []


def test_run_of_another_connection_is_not_found(hub: Hub, rows: Rows, active: str) -> None:
    run, other = hub.synced(active), hub.connection()
    for wrong in (run["runId"], str(uuid4()), "x"):
        reply = hub.call("GET", f"{other}/syncs/{wrong}")
        assert (reply.status, reply.code) == (404, "SYNC_RUN_NOT_FOUND")


# ---- What an engine may do ----


def test_engine_calls_the_platform_as_a_job(inside: Inside, hub: Hub, rows: Rows, platform: Platform) -> None:
    """HUB 44: it needs no person's membership and no key, and the log names the job."""
    context = inside()
    platform.keys.add("a-key")
    wanted = ConnectionDraft.parse(draft(config=config(base_url=platform.url, api_key="a-key")))
    path = f"/integrations/{changes.create(context, wanted).connection_id}"
    run_id = waiting(rows, path)

    def engine(run: SyncRun) -> Result:
        with run.open_account() as account:
            key = {"x-api-key": account.account.secrets["api_key"]}
            assert account.call("GET", "/players", headers=key).status == 200
        return Result("succeeded")

    message = RowMessage(context.tenant, UUID(run_id))
    invocation = Invocation(context.database, "invocation", TimeBudget(lambda: 60_000))
    result = running.run(invocation, message, {"softswiss": engine}.get)

    assert result == Result("succeeded")
    told = hub.audited(path)[-1]
    assert (told["action"], told["actorKind"], told["actor"], told["requestId"]) == (
        *("sync.ended", "system", "sync-run", "invocation"),
    )
    [call, *_] = hub.call("GET", f"{path}/logs").json["logs"]
    assert (call["url"], call["requestId"]) == (f"{platform.url}/players", "invocation")
    assert (call["actorKind"], call["actor"]) == ("system", "sync-run")
