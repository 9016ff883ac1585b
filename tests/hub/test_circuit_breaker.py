"""The circuit breaker of a connection: it opens, half-opens with one probe, and closes; all visible (HUB 47)."""

from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import replace
from threading import Barrier, Lock, Thread
from typing import Any
from uuid import UUID

import pytest

from causeway.connections import access, breaker, changes, testing
from causeway.connections import rows as connection_rows
from causeway.connections.gate import ConnectionGate
from causeway.connections.requests import ConnectionChange, ConnectionDraft
from causeway.connections.use import open_connection
from causeway.database.postgres import Database
from causeway.errors.platforms import CircuitOpen, ConfigInvalid, PlatformFailure, ProviderOutcomeUnknown
from causeway.errors.requests import RateLimitExceeded
from causeway.platforms.kinds.limits import Signal
from causeway.rate_limits import limiter
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


@pytest.mark.parametrize("status", [400, 404, 429, 501, 505, 511])
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


def test_fault_after_it_closed_does_not_open_it_again(
    hub: Hub, context: RequestContext, platform: Platform, connection_id: UUID, rows: Rows
) -> None:
    """The failures that opened it count no more."""
    fail(context, platform, connection_id)
    let_time_pass(rows, connection_id)
    assert call(context, connection_id) == 201
    fail(context, platform, connection_id, breaker.FAILURES - 1)

    assert shown(hub, connection_id)["state"] == "closed"
    fail(context, platform, connection_id, 1)
    assert shown(hub, connection_id)["state"] == "open"


def test_full_limit_does_not_take_the_right_to_try_the_platform(
    hub: Hub, context: RequestContext, platform: Platform, connection_id: UUID, rows: Rows
) -> None:
    fail(context, platform, connection_id)
    let_time_pass(rows, connection_id)
    hold(context, connection_id)
    with pytest.raises(RateLimitExceeded):
        call(context, connection_id)

    assert shown(hub, connection_id)["state"] == "open"
    end_wait(context, connection_id)
    assert call(context, connection_id) == 201


def test_call_that_sends_nothing_gives_the_right_to_try_back(
    hub: Hub, context: RequestContext, platform: Platform, connection_id: UUID, rows: Rows
) -> None:
    """It shows nothing of the platform, and the next call need not wait until the right ends."""
    fail(context, platform, connection_id)
    let_time_pass(rows, connection_id)
    with pytest.raises(ConfigInvalid), open_connection(context, connection_id) as account:
        account.call("POST", "/players", headers={"host": "elsewhere.test"}, content={})

    assert shown(hub, connection_id)["state"] == "half_open"
    assert call(context, connection_id) == 201


@pytest.mark.parametrize("status", [429, 500, None])
def test_candidate_changes_neither_the_breaker_nor_the_limits(
    hub: Hub,
    context: RequestContext,
    platform: Platform,
    connection_id: UUID,
    rows: Rows,
    status: int | None,
) -> None:
    """A change that is tested and refused leaves the connection as it works now. None: nothing listens there."""
    other = Platform()
    other.status, other.told = status, {"retry-after": "86400"}
    if status is None:
        other.close()
    for _ in range(breaker.FAILURES + 1):
        with pytest.raises(PlatformFailure):
            change(context, connection_id, other.url)
    if status is not None:
        other.close()
    # One fault of the connection itself does not count with those of the candidates.
    fail(context, platform, connection_id, 1)

    assert shown(hub, connection_id)["state"] == "closed"
    assert call(context, connection_id) == 201
    assert {row.platform_failed for row in candidates(rows, connection_id)} == {None}


def test_candidate_that_works_does_not_close_the_breaker_of_what_is_in_use(
    hub: Hub, context: RequestContext, platform: Platform, connection_id: UUID
) -> None:
    fail(context, platform, connection_id)
    platform.keys.add("other-key")
    with context.transaction() as transaction:
        seen = connection_rows.find(transaction, connection_id)
    stored = access.load(context, connection_id)
    account = access.decrypt_account(context, stored)
    testing.call_or_refuse(context, seen, account, access.tokens(context, stored))

    assert shown(hub, connection_id)["state"] == "open"


def test_test_of_a_connection_passes_a_wait_that_the_platform_told_and_its_success_ends_it(
    context: RequestContext, platform: Platform, connection_id: UUID
) -> None:
    """Otherwise a wrong wait would stop the connection for a day, and nobody could do anything about it."""
    hold(context, connection_id)
    platform.status = 500
    assert testing.test_and_save(context, connection_id, ANY)[0].verdict.code == "PROVIDER_ERROR"
    with pytest.raises(RateLimitExceeded):
        call(context, connection_id)
    platform.status = None
    assert testing.test_and_save(context, connection_id, ANY)[0].verdict.success

    assert call(context, connection_id) == 201


def test_test_of_a_connection_counts_in_its_own_limits(context: RequestContext, connection_id: UUID) -> None:
    with context.transaction() as transaction:
        subject = connection_rows.find(transaction, connection_id).limited
    left = limiter.look(context.database, [subject], reserved=True, tenant_id=context.tenant).remaining or 0
    limiter.take(context.database, [subject], left, reserved=True, tenant_id=context.tenant)
    hold(context, connection_id)

    assert testing.test_and_save(context, connection_id, ANY)[0].verdict.code == "RATE_LIMITED"


def gate_of(context: RequestContext, connection_id: UUID) -> ConnectionGate:
    with context.transaction() as transaction:
        return ConnectionGate(context, connection_rows.find(transaction, connection_id), "interactive")


def hold(context: RequestContext, connection_id: UUID) -> None:
    """Let the platform tell that nobody should call for an hour."""
    gate_of(context, connection_id).learn(Signal(wait=3600.0))


def end_wait(context: RequestContext, connection_id: UUID) -> None:
    with context.transaction() as transaction:
        subject = connection_rows.find(transaction, connection_id).limited
        [row] = transaction.execute("SELECT told_until FROM rate_limits WHERE subject_id = %s", [subject.id]).fetchall()
    limiter.release(context.database, subject, row.told_until, tenant_id=context.tenant)


def change(context: RequestContext, connection_id: UUID, url: str) -> None:
    changed = ConnectionChange.parse({"config": config(base_url=url, api_key="other-key")})
    changes.change(context, connection_id, ANY, changed)


def candidates(rows: Rows, connection_id: UUID) -> list[Any]:
    return rows(
        "SELECT platform_failed FROM integration_api_logs WHERE connection_id = %s AND credential_version IS NULL",
        [connection_id],
    )
