"""GET and PUT /integrations/{connection_id}/limits: the template's limits, lowered or raised within bounds (HUB 17)."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.hub.client import ADMIN, REGULATOR, STAFF, Hub, draft
from tests.hub.objects import added

Rows = Callable[..., list[Any]]
NONE: dict[str, Any] = dict.fromkeys(("minute", "hour", "day", "month"))


@pytest.fixture
def path(hub: Hub) -> str:
    """The path of a new connection's limits; its template has 60 a minute and 1000 an hour."""
    template = added(hub, rateLimits={"minute": 60, "hour": 1000}).json["id"]
    made = hub.call("POST", "/integrations", ADMIN, draft(templateId=template))
    assert made.status == 201, made
    return f"{made.headers['location']}/limits"


def test_connection_has_the_limits_of_its_template(hub: Hub, path: str) -> None:
    found = hub.call("GET", path).json

    assert found["limits"] == NONE | {"minute": 60, "hour": 1000}
    assert found["own"] == NONE
    assert found["most"] == {"minute": 600, "hour": 10_000, "day": 2_000_000_000, "month": 2_000_000_000}
    assert found["reservePercent"] == 10


def test_template_without_limits_gives_100_a_minute(hub: Hub) -> None:
    """Seed 004."""
    template = added(hub, rateLimits={}).json["id"]
    found = hub.call("GET", f"{hub.connection(templateId=template)}/limits").json
    assert (found["limits"]["minute"], found["template"]) == (100, NONE)


def test_admin_lowers_raises_and_gives_back(hub: Hub, path: str) -> None:
    before = hub.call("GET", path)
    changed = hub.call("PUT", path, ADMIN, {"minute": 5, "day": 100}, if_match=before.etag)

    assert changed.status == 200
    assert changed.json["limits"] == {"minute": 5, "hour": 1000, "day": 100, "month": None}
    assert changed.etag != before.etag
    assert hub.call("GET", path).json == changed.json
    raised = hub.call("PUT", path, ADMIN, {"minute": 600, "hour": None})
    assert raised.json["limits"] == NONE | {"minute": 600, "hour": 1000}
    assert hub.call("PUT", path, ADMIN, {}).json["limits"] == NONE | {"minute": 60, "hour": 1000}


def test_change_of_limits_is_audited(hub: Hub, path: str) -> None:
    hub.call("PUT", path, ADMIN, {"minute": 7})
    entries = hub.call("GET", "/audit?action=connection.changed&limit=1", REGULATOR).json["entries"]
    assert (entries[0]["before"]["rateLimits"], entries[0]["after"]["rateLimits"]) == ({}, {"minute": 7})


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"minute": 601}, "LIMIT_OUT_OF_BOUNDS"),
        ({"hour": 10_001, "minute": 700}, "LIMIT_OUT_OF_BOUNDS"),
        ({"minute": 0}, "INVALID_REQUEST"),
        ({"minute": -1}, "INVALID_REQUEST"),
        ({"day": 2_000_000_001}, "INVALID_REQUEST"),
        ({"minute": "5"}, "INVALID_REQUEST"),
        ({"minute": 1.5}, "INVALID_REQUEST"),
        ({"minute": True}, "INVALID_REQUEST"),
        ({"second": 5}, "INVALID_REQUEST"),
    ],
)
def test_limit_out_of_bounds_is_refused_and_changes_nothing(
    hub: Hub, path: str, body: dict[str, Any], code: str
) -> None:
    before = hub.call("GET", path)
    refused = hub.call("PUT", path, ADMIN, body)

    assert (refused.status, refused.code) == (400, code)
    assert {problem["path"] for problem in refused.json["problems"]} == set(body)
    assert hub.call("GET", path).json == before.json


def test_stale_etag_is_refused(hub: Hub, path: str) -> None:
    first = hub.call("GET", path).etag
    hub.call("PUT", path, ADMIN, {"minute": 7})
    assert hub.call("PUT", path, ADMIN, {"minute": 8}, if_match=first).status == 412


def test_staff_may_not_read_limits(hub: Hub, path: str) -> None:
    assert hub.call("GET", path, STAFF).status == 403
