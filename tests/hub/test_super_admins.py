"""Super admins read every tenant, test, disable and enable its connections, and cannot write credentials."""

from collections.abc import Callable
from typing import Any

import pytest

from causeway.tenancy.permissions import ALLOWED
from tests.hub.client import SUPER_ADMIN, Hub, draft
from tests.hub.snapshots import SNAPSHOT

Rows = Callable[..., list[Any]]
# Calls that would add, replace or destroy a credential: method, the path's end, and a body.
WRITES = [
    ("POST", None, draft()),
    ("PATCH", "", {"config": {"api_key": "new"}}),
    ("PATCH", "", {"config": {}}),
    ("PATCH", "", {"config": {"casino_id": "casino-2"}}),
    ("POST", "/credentials/rotate", {"config": {"api_key": "new"}}),
    ("POST", "/credentials/rollback", None),
    ("DELETE", "", None),
]


@pytest.mark.usefixtures("refusals_are_due")
@pytest.mark.parametrize(("method", "end", "body"), WRITES)
def test_super_admin_cannot_write_credentials_and_the_tenant_sees_the_attempt(
    hub: Hub, rows: Rows, method: str, end: str | None, body: Any
) -> None:
    """HUB 43, 44"""
    path = hub.connection()
    seen, before = hub.call("GET", path).etag, rows(SNAPSHOT)
    reply = hub.call(method, "/integrations" if end is None else path + end, SUPER_ADMIN, body, if_match=seen)

    assert (reply.status, reply.code) == (403, "FORBIDDEN")
    assert rows(SNAPSHOT) == before
    [entry] = [
        entry
        for entry in hub.call("GET", "/audit?limit=20&action=access.refused").json["entries"]
        if entry["requestId"] == reply.json["requestId"]
    ]
    assert (entry["actorRole"], entry["objectId"], entry["outcome"]) == ("super_admin", "credentials.write", "refused")


def test_super_admin_can_read_test_rename_disable_and_enable(hub: Hub) -> None:
    """HUB 43"""
    path = hub.connection()
    seen = hub.call("GET", path, SUPER_ADMIN).etag
    named = hub.call("PATCH", path, SUPER_ADMIN, {"description": "looked at"}, if_match=seen)
    ends = ("/test", "/disable", "/enable")

    assert named.status == 200
    assert [hub.call("POST", path + end, SUPER_ADMIN).status for end in ends] == [200, 200, 200]
    assert hub.call("GET", f"{path}/logs", SUPER_ADMIN).status == 200


def test_api_key_may_do_nothing_that_its_creator_may_not() -> None:
    """HUB 43: so a super admin may create keys for a tenant's machines; they are not a platform's credentials."""
    for role, allowed in ALLOWED.items():
        if "api_keys.manage" in allowed:
            assert ALLOWED["service"] <= allowed, role
