"""The circuit breaker of a connection: it opens, half-opens with one probe, and closes; all visible (HUB 47)."""

from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import replace
from threading import Barrier, Lock, Thread
from typing import Any
from uuid import UUID

import pytest

from causeway.connections import breaker, changes, testing
from causeway.connections.requests import ConnectionDraft
from causeway.connections.use import open_connection
from causeway.database.postgres import Database
from causeway.errors.platforms import CircuitOpen, ProviderOutcomeUnknown
from causeway.tenancy.context import RequestContext
from causeway.wire.preconditions import ANY
from tests.hub.client import STAFF, Hub, config, draft
from tests.hub.conftest import Platform

Rows = Callable[..., list[Any]]


@pytest.fixture
def context(inside: Callable[..., RequestContext]) -> RequestContext:
    return inside()


@pytest.fixture
def connection_id(context: RequestContext, platform: Platform) -> Iterator[UUID]:
    """A connection that works."""
    platform.keys = {"good-key"}
    made = changes.create(
        context, ConnectionDraft.parse(draft(config=config(base_url=platform.url, api_key="good-key")))
    )
    yield made.connection_id
    platform.status = None


def call(context: RequestContext, connection_id: UUID) -> int:
    """Make a call that is made once, so that one call is one attempt."""
    with open_connection(context, connection_id) as account:
        return account.call("POST", "/players", headers={"x-api-key": "good-key"}, content={}).status


def fail(context: RequestContext, platform: Platform, connection_id: UUID, times: int = breaker.FAILURES) -> None:
    platform.status = 500
    for _ in range(times):
        with pytest.raises(ProviderOutcomeUnknown):
            call(context, connection_id)
    platform.status = None


def shown(hub: Hub, connection_id: UUID) -> dict[str, Any]:
    return hub.call("GET", f"/integrations/{connection_id}/health", STAFF).json["circuitBreaker"]


def let_time_pass(rows: Rows, connection_id: UUID) -> None:
    rows("UPDATE circuit_breakers SET retry_at = now() WHERE connection_id = %s", [connection_id])


def test_breaker_opens_on_failures_and_the_platform_is_left_alone(
    hub: Hub, context: RequestContext, platform: Platform, connection_id: UUID, rows: Rows
) -> None:
    """HUB 47: nothing is sent or decrypted while it is open; the caller learns how long to wait."""
    fail(context, platform, connection_id, breaker.FAILURES - 1)
    assert shown(hub, connection_id) == {"state": "closed", "openings": 0, "retryAfter": None, "changedAt": None}
    fail(context, platform, connection_id, 1)
    calls = platform.posted

    with pytest.raises(CircuitOpen) as refused:
        call(context, connection_id)

    assert platform.posted == calls
    assert 0 < (refused.value.retry_after or 0) <= 10
    now = shown(hub, connection_id)
    assert (now["state"], now["openings"]) == ("open", 1)
    assert 0 < now["retryAfter"] <= 10
    [event] = rows(
        "SELECT type, payload FROM events_out WHERE object_id = %s AND type = 'connection.circuit_opened'",
        [str(connection_id)],
    )
    assert event.payload["connectionId"] == str(connection_id)


def test_breaker_stays_closed_where_most_calls_succeed(
    hub: Hub, context: RequestContext, platform: Platform, connection_id: UUID
) -> None:
    """A busy connection with some failures is not a broken platform."""
    for _ in range(breaker.FAILURES + 2):
        assert call(context, connection_id) == 201
    fail(context, platform, connection_id)

    assert shown(hub, connection_id)["state"] == "closed"
    assert call(context, connection_id) == 201


@pytest.mark.parametrize("status", [400, 404, 429])
def test_refusals_of_the_platform_do_not_open_it(
    hub: Hub, context: RequestContext, platform: Platform, connection_id: UUID, status: int
) -> None:
    platform.status = status
    for _ in range(breaker.FAILURES + 1):
        with suppress(Exception):
            call(context, connection_id)

    assert shown(hub, connection_id)["state"] == "closed"


def test_one_call_of_many_tries_the_platform_and_closes_the_breaker(
    hub: Hub, context: RequestContext, platform: Platform, connection_id: UUID, rows: Rows
) -> None:
    """HUB 47: half-open with one probe."""
    fail(context, platform, connection_id)
    let_time_pass(rows, connection_id)
    calls, lock, start, reported = platform.posted, Lock(), Barrier(8), Barrier(2)
    outcomes: list[Any] = []

    def one() -> None:
        own = replace(context, database=Database())
        start.wait(30)
        outcome: Any = "open"
        with closing(own.database), suppress(CircuitOpen), open_connection(own, connection_id) as account:
            outcome = account.call("POST", "/players", headers={"x-api-key": "good-key"}, content={}).status
            # The call that tries the platform reports after all others have asked.
            reported.wait(30)
        with lock:
            outcomes.append(outcome)
            last = outcome == "open" and outcomes.count("open") == 7
        if last:
            reported.wait(30)

    threads = [Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(map(str, outcomes)) == ["201", *["open"] * 7]
    assert platform.posted == calls + 1
    assert shown(hub, connection_id)["state"] == "closed"
    assert call(context, connection_id) == 201


def test_failed_probe_opens_it_again_for_longer(
    hub: Hub, context: RequestContext, platform: Platform, connection_id: UUID, rows: Rows
) -> None:
    fail(context, platform, connection_id)
    for openings, pause in ((2, 20), (3, 40)):
        let_time_pass(rows, connection_id)
        fail(context, platform, connection_id, 1)
        now = shown(hub, connection_id)
        assert (now["state"], now["openings"]) == ("open", openings)
        assert pause - 10 < now["retryAfter"] <= pause


def test_probe_that_never_reports_is_followed_by_another(
    context: RequestContext, connection_id: UUID, platform: Platform, rows: Rows
) -> None:
    """A process may be killed between the call and its report."""
    fail(context, platform, connection_id)
    let_time_pass(rows, connection_id)
    with context.transaction() as transaction:
        breaker.try_platform(transaction, connection_id)
    with pytest.raises(CircuitOpen), context.transaction() as transaction:
        breaker.try_platform(transaction, connection_id)

    let_time_pass(rows, connection_id)
    assert call(context, connection_id) == 201


def test_test_of_a_connection_passes_an_open_breaker_and_closes_it(
    hub: Hub, context: RequestContext, platform: Platform, connection_id: UUID
) -> None:
    """People who test want to know whether the platform works again."""
    fail(context, platform, connection_id)
    assert testing.test_and_save(context, connection_id, ANY)[0].verdict.success

    assert shown(hub, connection_id)["state"] == "closed"
    assert call(context, connection_id) == 201
