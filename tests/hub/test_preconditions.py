"""If-Match on every changing route, and the version in each answer and list (HUB 51)."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.hub.changing_routes import CHANGES, CREATIONS
from tests.hub.client import Caller, Hub, claims_of
from tests.hub.snapshots import SNAPSHOT

Rows = Callable[..., list[Any]]


_PROXY = "/proxy/{connection_id}/{proxy}"
# Routes that change no object of the hub, so that they have no version; and the file with their tests.
WITHOUT_OBJECT = {
    "POST /functions/v1/rate-limiter": "test_rate_limiter.py",
    "POST /functions/v1/api-proxy": "test_proxy_idempotency.py",
    **dict.fromkeys((f"{method} {_PROXY}" for method in ("POST", "PUT", "PATCH", "DELETE")), "test_proxy_refusals.py"),
}


def test_table_has_every_changing_route(hub: Hub) -> None:
    paths = hub.call("GET", "/openapi.json").json["paths"]
    found = {
        f"{method.upper()} {path}"
        for path, methods in paths.items()
        for method, operation in methods.items()
        if method != "get" and "x-permission" in operation and not path.startswith("/casino/")
    }

    assert found == CHANGES.keys() | CREATIONS.keys() | WITHOUT_OBJECT.keys()
    assert all((Path(__file__).parent / file).exists() for file in WITHOUT_OBJECT.values())


@pytest.mark.parametrize("tag", ['"99"', 'W/"1"', '"x"'], ids=["stale", "weak", "another's"])
@pytest.mark.parametrize("route", CHANGES)
def test_change_of_another_version_is_refused_and_changes_nothing(hub: Hub, rows: Rows, route: str, tag: str) -> None:
    make, method, end, body, caller = CHANGES[route]
    path = make(hub)
    before = rows(SNAPSHOT)
    refused = hub.call(method, path + end, caller, body, if_match=tag)

    assert (refused.status, refused.code) == (412, "VERSION_MISMATCH")
    # The answer names the current version.
    version = refused.etag.strip('"')
    assert refused.json["error"].endswith(f"its version is now {version}")
    assert rows(SNAPSHOT) == before


@pytest.mark.parametrize("route", [*CHANGES, *CREATIONS])
def test_empty_precondition_is_refused_and_changes_nothing(hub: Hub, rows: Rows, route: str) -> None:
    if route in CREATIONS:
        path, caller, body = CREATIONS[route]
        method = "POST"
    else:
        make, method, end, body, caller = CHANGES[route]
        path = make(hub) + end
    before = rows(SNAPSHOT)
    refused = hub.call(method, path, caller, body, if_match="")

    assert (refused.status, refused.code) == (400, "INVALID_REQUEST")
    assert rows(SNAPSHOT) == before


@pytest.mark.parametrize("tag", ["*", "{etag}", '"99", {etag}'], ids=["any", "present", "one of two"])
@pytest.mark.parametrize("route", ["DELETE /api-keys/{key_id}", "PATCH /tenants/{tenant_id}"])
def test_change_of_the_named_version_succeeds(hub: Hub, route: str, tag: str) -> None:
    make, method, end, body, caller = CHANGES[route]
    path = make(hub)
    done = hub.call(method, path + end, caller, body, if_match=tag.format(etag='"1"'))

    assert done.status in (200, 204)
    # The answer names the version after the change.
    assert done.etag == '"2"'


@pytest.mark.parametrize("end", ["", "/disable", "/enable", "/test"])
def test_change_without_a_version_is_refused_and_with_it_succeeds(hub: Hub, end: str) -> None:
    made = hub.created()
    path, method, body = made.headers["location"], "POST" if end else "PATCH", None if end else {"description": "x"}
    done = hub.call(method, path + end, body=body, if_match=f'"7", {made.etag}')

    assert done.status == 200
    assert done.etag == hub.call("GET", path).etag


@pytest.mark.parametrize("tag", ['"1"', "*"])
@pytest.mark.parametrize("route", CREATIONS)
def test_creation_with_if_match_is_refused(hub: Hub, rows: Rows, route: str, tag: str) -> None:
    path, caller, body = CREATIONS[route]
    before = rows(SNAPSHOT)
    refused = hub.call("POST", path, caller, body, if_match=tag)

    assert (refused.status, refused.code) == (412, "VERSION_MISMATCH")
    assert "etag" not in refused.headers
    assert rows(SNAPSHOT) == before


@pytest.mark.parametrize(
    ("route", "listed"),
    [
        ("POST /integrations/{connection_id}/disable", "integrations"),
        ("DELETE /api-keys/{key_id}", "apiKeys"),
        ("PATCH /tenants/{tenant_id}", "tenants"),
        ("PATCH /integrations/templates/{template_id}", "templates"),
        ("PATCH /memberships/{subject}", "memberships"),
    ],
)
def test_lists_have_each_objects_version(hub: Hub, someone: Callable[..., str], route: str, listed: str) -> None:
    make, method, end, body, caller = CHANGES[route]
    path = newcomer(hub, someone("staff")) if listed == "memberships" else make(hub)
    first = version_in_list(hub, caller, path, listed)
    changed = hub.call(method, path + end, caller, body, if_match=f'"{first}"')

    assert changed.status in (200, 204), changed
    assert f'"{version_in_list(hub, caller, path, listed)}"' == changed.etag == f'"{first + 1}"'


def newcomer(hub: Hub, token: str) -> str:
    """The path of the membership of a person who has made one call."""
    hub.call("GET", "/integrations", Caller(None, headers={"authorization": f"Bearer {token}"}))
    return f"/memberships/{claims_of(token)['sub']}"


def version_in_list(hub: Hub, caller: Caller, path: str, listed: str) -> int:
    """The version of an object in its list; fails if no page has the object."""
    folder, _, own = path.rpartition("/")
    cursor = ""
    while True:
        page = hub.call("GET", f"{folder}?limit=100{cursor}", caller).json
        for one in page[listed]:
            if own in (one.get("id"), one.get("subject")):
                return one["version"]
        assert page.get("nextCursor"), f"{path} is not in the list"
        cursor = f"&cursor={page['nextCursor']}"


def test_lost_race_without_if_match_is_409_and_names_no_version(hub: Hub, rows: Rows) -> None:
    """Another call's change came between this call's reading and writing."""
    path = hub.connection()
    connection_id = path.rsplit("/", 1)[-1]
    rows(
        """
        CREATE FUNCTION lose_the_race() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
        """
    )
    rows(
        """
        CREATE TRIGGER lose_the_race BEFORE UPDATE ON integration_connections FOR EACH ROW
        WHEN (new.version > old.version) EXECUTE FUNCTION lose_the_race()
        """
    )
    try:
        plain = hub.call("POST", f"{path}/disable")
        named = hub.call("POST", f"{path}/disable", if_match='"1"')
    finally:
        rows("DROP TRIGGER lose_the_race ON integration_connections")
        rows("DROP FUNCTION lose_the_race()")

    assert (plain.status, plain.code) == (409, "CHANGED_MEANWHILE")
    assert "etag" not in plain.headers
    assert (named.status, named.code) == (412, "VERSION_MISMATCH")
    assert rows("SELECT version FROM integration_connections WHERE connection_id = %s", [connection_id])[0].version == 1
