"""A connection whose platform fails: what the caller gets and what the API log has. The table of all faults is in
tests/faults/test_platform_faults.py.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from time import monotonic
from typing import Any
from uuid import UUID

import pytest

from causeway.connections.use import open_connection
from causeway.connections.work import Work
from causeway.errors.platforms import ProviderOutcomeUnknown, RateLimited, TimedOut
from causeway.errors.requests import RateLimitExceeded
from causeway.errors.tree import CausewayError
from causeway.outbound.deadlines import Deadline
from causeway.platforms.call_terms import BEHIND_HTTP
from causeway.tenancy.context import RequestContext
from local.sandbox.registry import demo_credentials
from local.stack import Stack
from tests.hub.client import Hub
from tests.hub.objects import calendars
from tests.platforms.played import Played

Rows = Callable[..., list[Any]]
LOCATION = f"/locations/{demo_credentials('gohighlevel')['locationId']}"
VERSION = {"Version": "2021-07-28"}


@pytest.fixture
def context(inside: Callable[..., RequestContext]) -> RequestContext:
    return inside()


@pytest.fixture
def platform(stack: Stack) -> Iterator[Played]:
    played = Played(stack.info["sandbox_url"], "gohighlevel")
    played.recover()
    yield played
    played.recover()


@pytest.fixture
def connection_id(hub: Hub, platform: Played) -> UUID:
    """A connection to GoHighLevel, which the sandbox plays."""
    made = hub.call("POST", "/integrations", body=calendars())
    assert made.json["status"] == "active"
    return UUID(made.json["id"])


def logged(rows: Rows, connection_id: UUID) -> list[Any]:
    """The rows of the API log, the oldest first, without that of the test when the connection was made."""
    columns = "method, status, error, milliseconds, purpose, attempt, attempts, request_id"
    statement = f"SELECT {columns} FROM integration_api_logs WHERE connection_id = %s ORDER BY log_id"  # noqa: S608
    return rows(statement, [connection_id])[1:]


@pytest.mark.parametrize(("method", "error", "status"), [("GET", TimedOut, 504), ("POST", ProviderOutcomeUnknown, 502)])
def test_platform_that_takes_40_seconds_is_given_up_in_time_and_logged(
    context: RequestContext,
    platform: Played,
    connection_id: UUID,
    rows: Rows,
    method: str,
    error: type[CausewayError],
    status: int,
) -> None:
    """HUB 9: with 3 of the 25 seconds that a caller behind HTTP has."""
    platform.fail("slow", seconds=40)
    work = replace(Work.behind_http(), deadline=Deadline(3.0))
    began = monotonic()
    with pytest.raises(error) as caught, open_connection(context, connection_id, work) as account:
        account.call(method, LOCATION, headers=VERSION)
    took = monotonic() - began
    [log] = logged(rows, connection_id)

    assert (caught.value.status, BEHIND_HTTP) == (status, 25.0)
    assert (log.method, log.status, log.error, log.purpose) == (method, None, "TimedOut", "interactive")
    assert (log.attempt, log.attempts, log.request_id) == (1, 1, "inside")
    assert 0 < log.milliseconds <= took * 1000


def test_calls_of_one_work_share_its_time(context: RequestContext, platform: Played, connection_id: UUID) -> None:
    """HUB 9: a second call has what the first has left."""
    platform.fail("slow", seconds=40, times=2)
    work = replace(Work.behind_http(), deadline=Deadline(3.0))
    began = monotonic()
    with open_connection(context, connection_id, work) as account:
        for _ in range(2):
            with pytest.raises(TimedOut):
                account.call("GET", LOCATION, headers=VERSION)

    assert monotonic() - began < 3 + 5


def test_each_attempt_is_a_row_of_the_log(
    context: RequestContext, platform: Played, connection_id: UUID, rows: Rows
) -> None:
    """HUB 16."""
    platform.fail("500", times=2)
    with open_connection(context, connection_id) as account:
        assert account.call("GET", LOCATION, headers=VERSION).status == 200
    logs = logged(rows, connection_id)

    assert [(log.status, log.attempt, log.attempts) for log in logs] == [(500, 1, 3), (500, 2, 3), (200, 3, 3)]
    assert {(log.purpose, log.request_id) for log in logs} == {("interactive", "inside")}


def test_platform_that_asks_to_wait_is_not_called_until_then(
    hub: Hub, context: RequestContext, platform: Played, connection_id: UUID, rows: Rows
) -> None:
    """HUB 17, 49: the next caller gets the wait at once; the connection stays active."""
    platform.fail("429_seconds", seconds=60)
    with pytest.raises(RateLimited) as told, open_connection(context, connection_id) as account:
        account.call("GET", LOCATION, headers=VERSION)
    platform.forget()
    with pytest.raises(RateLimitExceeded) as refused, open_connection(context, connection_id) as account:
        account.call("GET", LOCATION, headers=VERSION)
    shown = hub.call("GET", f"/integrations/{connection_id}").json

    assert 55 <= (told.value.retry_after or 0) <= 61
    assert 50 <= (refused.value.retry_after or 0) <= 61
    assert refused.value.sentence == f"The platform asks for a wait of {refused.value.retry_after} seconds"
    assert "an admin" not in refused.value.action
    assert platform.requests == []
    assert (shown["status"], shown["isActive"]) == ("active", True)
    assert [(log.status, log.attempts) for log in logged(rows, connection_id)] == [(429, 1)]
