"""The API log of a connection: filtered, one call by its id, and what is told of each attempt (HUB 16)."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from secrets import token_hex
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

import pytest

from causeway.connections import changes, use
from causeway.connections.requests import ConnectionDraft
from causeway.connections.work import Work
from causeway.database import postgres
from causeway.platforms.open_account import OpenAccount
from causeway.tenancy.context import JobContext, RequestContext
from local.services.demo_data import TENANTS
from tests.hub.client import OURS, REGULATOR, STAFF, SUPER_ADMIN, THEIR_ADMIN, Hub, config, draft
from tests.hub.conftest import Platform

Rows = Callable[..., list[Any]]
Inside = Callable[..., RequestContext]
NOW = datetime.now(UTC).replace(microsecond=0)
RUN, EVENT = str(uuid4()), str(uuid4())
# The calls of the log by name: what each is, other than a successful one.
CALLS: dict[str, dict[str, Any]] = {
    "fine": {},
    "moved": {"status": 301},
    "refused": {"status": 403, "purpose": "message"},
    "broken": {"status": 503, "purpose": "sync", "run_id": RUN, "attempt": 1, "attempts": 2},
    "silent": {"status": None, "error": "TimedOut", "purpose": "sync", "run_id": RUN, "attempt": 2, "attempts": 2},
    "old": {"created_at": NOW - timedelta(days=2)},
    "caused": {"event_id": EVENT, "purpose": "webhook", "platform_request_id": "req_9fKz", "request_id": "an-event"},
}


class Log:
    """A connection whose log has CALLS, the last the newest; and the id of each by name."""

    def __init__(self, hub: Hub, rows: Rows) -> None:
        self.hub, self.rows = hub, rows
        self.path = hub.connection(externalId=f"own-{token_hex(6)}")
        connection_id = self.path.rpartition("/")[2]
        rows("DELETE FROM integration_api_logs WHERE connection_id = %s", [connection_id])
        self.ids = {
            name: self._added(connection_id, {"created_at": NOW + timedelta(milliseconds=number)} | fields)
            for number, (name, fields) in enumerate(CALLS.items())
        }

    def _added(self, connection_id: str, fields: dict[str, Any]) -> int:
        values = {
            "tenant_id": TENANTS[OURS],
            "connection_id": connection_id,
            "method": "GET",
            "milliseconds": 1,
            "url": "https://h.test",
            "status": 200,
            "error": None,
            "request_id": "a-call",
            "actor_kind": "person",
            "actor": "somebody",
            "purpose": "interactive",
            "attempt": 1,
            "attempts": 1,
            "run_id": None,
            "event_id": None,
            "platform_request_id": None,
        } | fields
        columns, places = ", ".join(values), ", ".join(f"%({name})s" for name in values)
        made = self.rows(
            f"INSERT INTO integration_api_logs ({columns}) VALUES ({places}) RETURNING log_id",  # noqa: S608
            values,
        )
        return made[0].log_id

    def names(self, query: str) -> list[str]:
        """The names of the calls that a query lists, newest first."""
        reply = self.hub.call("GET", f"{self.path}/logs?{query}")
        assert reply.status == 200, reply
        by_id = {log_id: name for name, log_id in self.ids.items()}
        return [by_id[one["id"]] for one in reply.json["logs"]]


@pytest.fixture(scope="module")
def log(hub: Hub, rows: Rows) -> Log:
    return Log(hub, rows)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["caused", "silent", "broken", "refused", "moved", "fine", "old"]),
        ("purpose=sync", ["silent", "broken"]),
        ("purpose=payment", []),
        ("error=TimedOut", ["silent"]),
        ("error=TlsFailed", []),
        ("statusClass=2xx", ["caused", "fine", "old"]),
        ("statusClass=3xx", ["moved"]),
        ("statusClass=4xx", ["refused"]),
        ("statusClass=5xx", ["broken"]),
        ("statusClass=none", ["silent"]),
        ("requestId=an-event", ["caused"]),
        ("requestId=a", []),
        ("purpose=sync&statusClass=5xx&requestId=a-call", ["broken"]),
        (f"until={quote(NOW.isoformat())}", ["old"]),
        (f"since={quote((NOW + timedelta(milliseconds=4)).isoformat())}", ["caused", "silent"]),
        (f"since={quote((NOW - timedelta(days=3)).isoformat())}&until={quote(NOW.isoformat())}&error=TimedOut", []),
    ],
    # Without the times, which differ between the processes that run the tests.
    ids=count(),
)
def test_filter_selects_the_calls(log: Log, query: str, found: list[str]) -> None:
    assert log.names(query) == found


def test_filter_holds_on_every_page_and_a_cursor_belongs_to_it(log: Log) -> None:
    first = log.hub.call("GET", f"{log.path}/logs?statusClass=2xx&limit=2").json
    second = log.hub.call("GET", f"{log.path}/logs?statusClass=2xx&limit=2&cursor={first['nextCursor']}").json
    other = log.hub.call("GET", f"{log.path}/logs?statusClass=4xx&limit=2&cursor={first['nextCursor']}")

    assert [one["id"] for one in first["logs"]] == [log.ids["caused"], log.ids["fine"]]
    assert [one["id"] for one in second["logs"]] == [log.ids["old"]]
    assert (other.status, other.code) == (400, "INVALID_REQUEST")


@pytest.mark.parametrize(
    "query",
    [
        *("purpose=", "purpose=all", "error=a-b", "error=", "statusClass=200", "statusClass=6xx", "requestId="),
        *("since=yesterday", "until=2026-01-31", "status=200", f"requestId={'a' * 201}", "requestId=%00"),
    ],
)
def test_malformed_filter_is_refused(log: Log, query: str) -> None:
    reply = log.hub.call("GET", f"{log.path}/logs?{query}")
    assert (reply.status, reply.code) == (400, "INVALID_REQUEST")


def test_unknown_error_is_refused_with_the_names_that_there_are(log: Log) -> None:
    """A code of an answer, such as TIMED_OUT, is none."""
    reply = log.hub.call("GET", f"{log.path}/logs?error=TIMED_OUT")
    [problem] = reply.json["problems"]
    assert problem["path"] == "error"
    assert problem["rule"].startswith("must be one of AddressBlocked, AddressInvalid, AuthorizationMissing, ")


def test_call_tells_its_attempt_and_what_it_belongs_to(log: Log) -> None:
    silent, caused = (log.hub.call("GET", f"{log.path}/logs/{log.ids[name]}").json for name in ("silent", "caused"))

    assert (silent["purpose"], silent["attempt"], silent["attempts"]) == ("sync", 2, 2)
    assert (silent["status"], silent["error"], silent["runId"], silent["eventId"]) == (None, "TimedOut", RUN, None)
    assert (caused["eventId"], caused["platformRequestId"], caused["requestId"]) == (EVENT, "req_9fKz", "an-event")
    assert (silent["requestBody"], silent["responseBody"]) == (None, None)


def test_call_by_its_id_is_the_one_of_the_list(hub: Hub) -> None:
    """By the connection's id and by its external id, for all who may read logs."""
    external_id = f"own-{token_hex(6)}"
    path = hub.connection(externalId=external_id)
    [listed] = hub.call("GET", f"{path}/logs").json["logs"]

    for caller in (SUPER_ADMIN, REGULATOR):
        for where in (path, f"/integrations/ext:{external_id}"):
            assert hub.call("GET", f"{where}/logs/{listed['id']}", caller).json == listed
    assert hub.call("GET", f"{path}/logs/{listed['id']}", STAFF).status == 403


def test_call_of_a_deleted_connection_can_still_be_read(hub: Hub) -> None:
    path = hub.connection()
    [listed] = hub.call("GET", f"{path}/logs").json["logs"]
    hub.call("DELETE", path)

    assert hub.call("GET", f"{path}/logs/{listed['id']}").json == listed


@pytest.mark.parametrize("log_id", ["0", "01", "-1", "a", "1.0", "9" * 19, "9" * 20, "9223372036854775807", "%2B1"])
def test_call_that_is_not_there_is_not_found(hub: Hub, log_id: str) -> None:
    reply = hub.call("GET", f"{hub.connection()}/logs/{log_id}")
    assert (reply.status, reply.code) == (404, "CALL_LOG_NOT_FOUND")


def test_call_of_another_connection_or_tenant_is_not_found(hub: Hub, log: Log) -> None:
    theirs = hub.connection(THEIR_ADMIN)
    log_id = log.ids["fine"]
    codes = [
        hub.call("GET", f"{hub.connection()}/logs/{log_id}").code,
        hub.call("GET", f"{theirs}/logs/{log_id}", THEIR_ADMIN).code,
        hub.call("GET", f"{log.path}/logs/{log_id}", THEIR_ADMIN).code,
        hub.call("GET", f"/integrations/{uuid4()}/logs/{log_id}").code,
    ]

    assert codes == ["CALL_LOG_NOT_FOUND", "CALL_LOG_NOT_FOUND", "CONNECTION_NOT_FOUND", "CONNECTION_NOT_FOUND"]


# ---- Attempts ----


@pytest.fixture
def connection_id(inside: Inside, platform: Platform) -> Iterator[UUID]:
    """A connection that works."""
    platform.keys = {"good-key"}
    wanted = ConnectionDraft.parse(draft(config=config(base_url=platform.url, api_key="good-key")))
    yield changes.create(inside(), wanted).connection_id
    platform.status = None


def players(account: OpenAccount) -> int:
    return account.call("GET", "/players", headers={"x-api-key": account.account.secrets["api_key"]}).status


def fail(platform: Platform, times: int) -> None:
    """Let the platform's next answers be failures after which a call is tried again."""
    last = platform.calls + times

    def answer() -> None:
        platform.status = 503 if platform.calls <= last else None

    platform.meanwhile = answer


def test_every_attempt_of_a_call_is_logged_by_one_statement(
    inside: Inside, hub: Hub, rows: Rows, platform: Platform, connection_id: UUID
) -> None:
    """HUB 16: its number, the platform's id of the request, and one id of ours for all of them."""
    before = platform.calls
    fail(platform, 2)
    with use.open_connection(inside(), connection_id) as account:
        assert players(account) == 200
    logged = hub.call("GET", f"/integrations/{connection_id}/logs?limit=3").json["logs"]
    statements = rows(
        "SELECT DISTINCT xmin::text, cmin::text FROM integration_api_logs WHERE connection_id = %s AND attempts = 3",
        [connection_id],
    )

    assert [(one["attempt"], one["attempts"]) for one in logged] == [(3, 3), (2, 3), (1, 3)]
    assert [one["status"] for one in logged] == [200, 503, 503]
    assert [one["platformRequestId"] for one in logged] == [f"platform-{before + number}" for number in (3, 2, 1)]
    assert {(one["requestId"], one["purpose"]) for one in logged} == {("inside", "interactive")}
    assert {(one["actorKind"], one["sourceIp"], one["credentialVersion"]) for one in logged} == {
        ("person", "203.0.113.7", 1)
    }
    assert len(statements) == 1


def test_log_that_fails_fails_no_call_that_was_tried_again(
    inside: Inside, hub: Hub, rows: Rows, platform: Platform, connection_id: UUID
) -> None:
    """HUB 16"""
    context = inside()
    fail(platform, 1)
    rows("REVOKE INSERT (attempt) ON integration_api_logs FROM causeway_hub")
    try:
        with use.open_connection(context, connection_id) as account:
            assert players(account) == 200
    finally:
        rows("GRANT INSERT (attempt) ON integration_api_logs TO causeway_hub")
    [only] = hub.call("GET", f"/integrations/{connection_id}/logs").json["logs"]

    assert only["attempts"] == 1


def test_call_of_a_job_is_logged_with_its_run(inside: Inside, hub: Hub, connection_id: UUID) -> None:
    """HUB 16, 44: no address, and the job's name."""
    inside()
    run_id = uuid4()
    job = JobContext("sync-run", UUID(TENANTS[OURS]), "an-invocation", postgres.current())
    with use.open_connection(job, connection_id, Work.of_run(run_id)) as account:
        assert players(account) == 200
    [newest] = hub.call("GET", f"/integrations/{connection_id}/logs?purpose=sync&requestId=an-invocation").json["logs"]

    assert (newest["runId"], newest["purpose"], newest["eventId"]) == (str(run_id), "sync", None)
    assert (newest["actorKind"], newest["actor"], newest["sourceIp"]) == ("system", "sync-run", None)
