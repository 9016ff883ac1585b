"""Limits that calls outside share beside the connection's: of the deployment's OAuth app, an API key, a tenant."""

from collections.abc import Callable, Iterator
from secrets import token_hex
from typing import Any
from uuid import UUID

import pytest

from causeway.connections import rows as connection_rows
from causeway.connections.gate import ConnectionGate
from causeway.errors.requests import RateLimitExceeded
from causeway.platforms.kinds.limits import Signal
from causeway.rate_limits.limits import Limits
from causeway.rate_limits.subjects import Subject
from causeway.tenancy.context import RequestContext
from local.sandbox import registry
from local.sandbox.registry import demo_credentials
from tests.hub.client import ADMIN, DEPLOYMENT_ADMIN, THEIR_ADMIN, Caller, Hub, machine
from tests.hub.oauth import SETTINGS, Flow, connected
from tests.hub.objects import calendars

Rows = Callable[..., list[Any]]
KEY = "linkedin"


@pytest.fixture
def clean_app(rows: Rows) -> Iterator[None]:
    """Forgets what the deployment's app has used."""
    statement = "DELETE FROM rate_limits WHERE kind = 'oauth_app'"
    rows(statement)
    yield
    rows(statement)


@pytest.fixture(scope="module")
def ours(hub: Hub) -> str:
    """A connection that was authorized for the deployment's app."""
    set_app(hub, KEY)
    return authorized(hub, ADMIN)


@pytest.fixture(scope="module")
def theirs(hub: Hub, ours: str) -> str:
    """A connection of another tenant that was authorized for the same app."""
    return authorized(hub, THEIR_ADMIN)


def set_app(hub: Hub, key: str) -> None:
    """Set the deployment's app at a platform."""
    app = registry.oauth_app(key)
    body = {"clientId": app["client_id"], "clientSecret": app["client_secret"]}
    hub.call("PUT", f"/integrations/templates/{key}/oauth-app", DEPLOYMENT_ADMIN, body)


def authorized(hub: Hub, caller: Caller, key: str = KEY) -> str:
    """The path of a new connection that was authorized for the deployment's app."""
    body = {"templateId": key, "name": token_hex(8), "config": SETTINGS[key]}
    flow = Flow(hub, hub.call("POST", "/integrations", caller, body).headers["location"], caller).begun()
    flow.consent()
    assert flow.complete().json["connection"]["status"] == "active"
    return flow.path


def used(rows: Rows, kind: str, subject_id: str) -> int:
    found = rows("SELECT month_used FROM rate_limits WHERE kind = %s AND subject_id = %s", [kind, subject_id])
    return found[0].month_used if found else 0


@pytest.mark.usefixtures("clean_app")
def test_connections_of_all_tenants_count_in_the_limits_of_the_deployments_app(
    hub: Hub, rows: Rows, ours: str, theirs: str
) -> None:
    own_app = connected(hub, KEY)
    for path, caller in ((ours, ADMIN), (theirs, THEIR_ADMIN), (own_app, ADMIN)):
        assert hub.call("POST", f"{path}/test", caller).json["success"]

    assert used(rows, "oauth_app", KEY) == 2

    # Its day is used up, and the day is tomorrow's: no window ends during the test.
    rows("UPDATE rate_limits SET taken_at = now() + interval '1 day', day_used = 500 WHERE kind = 'oauth_app'")
    tests = [hub.call("POST", f"{path}/test", caller) for path, caller in ((ours, ADMIN), (theirs, THEIR_ADMIN))]
    assert [test.json["code"] for test in tests] == ["RATE_LIMITED"] * 2
    assert hub.call("POST", f"{own_app}/test").json["success"]


@pytest.mark.usefixtures("clean_app")
def test_token_given_by_hand_counts_for_no_app(hub: Hub, rows: Rows) -> None:
    """Another app may have got it, whose use must not hold the connections of the deployment's app."""
    set_app(hub, "facebook")
    path = authorized(hub, ADMIN, "facebook")
    assert hub.call("POST", f"{path}/test").json["success"]
    assert used(rows, "oauth_app", "facebook") == 1
    change = {"config": {"access_token": demo_credentials("facebook")["access_token"]}}
    given = hub.call("PATCH", path, ADMIN, change, if_match=hub.call("GET", path).etag)
    assert (given.status, given.json["status"]) == (200, "active"), given
    assert hub.call("POST", f"{path}/test").json["success"]

    assert used(rows, "oauth_app", "facebook") == 1


@pytest.mark.usefixtures("clean_app")
def test_wait_for_the_app_holds_its_connections_and_any_other_wait_one(
    inside: Callable[..., RequestContext], hub: Hub
) -> None:
    context = inside(ADMIN)
    app = Subject("oauth_app", KEY, Limits())
    one, other = (_gates(context, UUID(connected(hub, KEY).rpartition("/")[2]), app) for _ in range(2))

    one[0].learn(Signal(wait=300, app_wait=300))

    for gate in (one[0], other[0]):
        with pytest.raises(RateLimitExceeded) as refused:
            gate.admit()
        assert 290 < (refused.value.retry_after or 0) <= 300
    one[1].admit()
    one[1].learn(Signal(wait=200, app_wait=300))
    with pytest.raises(RateLimitExceeded):
        one[1].admit()
    other[1].admit()


def _gates(context: RequestContext, connection_id: UUID, app: Subject) -> tuple[ConnectionGate, ConnectionGate]:
    """Gates of a connection: of calls with the deployment's app, and of calls with another one."""
    with context.transaction() as transaction:
        row = connection_rows.find(transaction, connection_id)
    return ConnectionGate(context, row, "interactive", app), ConnectionGate(context, row, "interactive")


def test_call_of_a_machine_counts_once_whether_it_reads_or_writes(hub: Hub, rows: Rows) -> None:
    """A write is counted when its key is checked, a read with its first call outside; other reads are not."""
    key = hub.new_key()
    caller = machine(key["apiKey"])
    path = f"/integrations/{hub.call('POST', '/integrations', body=calendars()).json['id']}"
    before = used(rows, "tenant", key_tenant(rows, key["id"]))

    assert hub.call("GET", path, caller).status == 200
    assert used(rows, "api_key", key["id"]) == 0
    found = hub.call("GET", f"{path}/calendars", caller)
    assert found.status == 200, found
    assert used(rows, "api_key", key["id"]) == 1
    calendar = found.json["calendars"][0]["id"]
    slots = {"startTime": "2027-01-04T09:00:00Z", "endTime": "2027-01-04T09:30:00Z"}
    assert hub.call("POST", f"{path}/calendars/{calendar}/block-slots", caller, slots).status < 400
    assert used(rows, "api_key", key["id"]) == 2
    assert used(rows, "tenant", key_tenant(rows, key["id"])) == before + 2
    assert hub.call("GET", f"{path}/calendars").status == 200
    assert used(rows, "tenant", key_tenant(rows, key["id"])) == before + 2


def key_tenant(rows: Rows, key_id: str) -> str:
    return str(rows("SELECT tenant_id FROM api_keys WHERE key_id = %s", [key_id])[0].tenant_id)


def test_read_that_calls_a_platform_is_refused_when_the_keys_limit_is_used_up(hub: Hub, rows: Rows) -> None:
    key = hub.new_key()
    path = f"/integrations/{hub.call('POST', '/integrations', body=calendars()).json['id']}"
    rows(
        """
        INSERT INTO rate_limits (tenant_id, kind, subject_id, taken_at, minute_used, hour_used, day_used, month_used)
        VALUES (%s, 'api_key', %s, now() + interval '1 day', 1200, 1200, 1200, 1200)
        """,
        [key_tenant(rows, key["id"]), key["id"]],
    )
    refused = hub.call("GET", f"{path}/calendars", machine(key["apiKey"]))

    assert (refused.status, refused.code) == (429, "RATE_LIMIT_EXCEEDED")
    assert hub.call("GET", path, machine(key["apiKey"])).status == 200
