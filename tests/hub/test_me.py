"""GET /me: every caller with a role reads the own role, permissions and tenant."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from causeway.tenancy.permissions import ALLOWED, TENANT_ROLES, Role
from local.services.demo_data import TENANTS
from tests.hub.client import (
    ADMIN,
    DEPLOYMENT_ADMIN,
    NOBODY,
    OURS,
    SUPER_ADMIN,
    THEIR_ADMIN,
    Caller,
    Hub,
    claims_of,
    machine,
)
from tests.hub.objects import new_tenant

Rows = Callable[..., list[Any]]

JAQPOT = {
    "id": TENANTS[OURS],
    "code": "JAQPOT",
    "displayName": "Jaqpot Casino",
    "country": "AE",
    "timeZone": "Asia/Dubai",
    "currency": "AED",
    "language": "en",
}


@pytest.mark.parametrize("role", TENANT_ROLES)
def test_person_reads_role_permissions_and_tenant(hub: Hub, role: Role) -> None:
    """HUB 61"""
    caller = Caller(role)
    reply = hub.call("GET", "/me", caller)

    assert (reply.status, reply.json) == (
        200,
        {
            "kind": "person",
            "subject": claims_of(hub.token(caller) or "")["sub"],
            "role": role,
            "permissions": sorted(ALLOWED[role]),
            "tenant": JAQPOT,
        },
    )


def test_machine_reads_its_key_and_tenant(hub: Hub) -> None:
    """HUB 61"""
    key = hub.new_key()
    reply = hub.call("GET", "/me", machine(key["apiKey"]))

    assert reply.json == {
        "kind": "machine",
        "subject": key["id"],
        "role": "service",
        "permissions": ["connections.list", "connections.use", "games.launch", "me.read", "proxy.use"],
        "tenant": JAQPOT,
    }


def test_super_admin_sees_the_tenant_that_the_header_names(hub: Hub) -> None:
    """HUB 61"""
    made = new_tenant(hub, country="SA", language="ar")
    alone = hub.call("GET", "/me", DEPLOYMENT_ADMIN)
    named = hub.call("GET", "/me", Caller("super_admin", headers={"x-tenant-id": made["id"]}))
    ours = hub.call("GET", "/me", SUPER_ADMIN)

    assert alone.json["tenant"] is None
    assert alone.json["permissions"] == sorted(ALLOWED["super_admin"])
    assert named.json == alone.json | {
        "tenant": {name: value for name, value in made.items() if name not in ("createdAt", "version")}
    }
    assert (named.json["tenant"]["timeZone"], named.json["tenant"]["currency"]) == ("Asia/Riyadh", "SAR")
    assert ours.json["tenant"] == JAQPOT


@pytest.mark.parametrize("named", [str(UUID(int=1)), str(UUID(int=0)), "JAQPOT"])
def test_unknown_tenant_of_a_super_admin_is_not_found(hub: Hub, named: str) -> None:
    reply = hub.call("GET", "/me", Caller("super_admin", headers={"x-tenant-id": named}))

    assert reply.essence == (404, {"error": "No such tenant", "code": "TENANT_NOT_FOUND"})


def test_another_tenant_in_the_header_is_not_found(hub: Hub) -> None:
    reply = hub.call("GET", "/me", Caller("tenant_admin", headers={"x-tenant-id": TENANTS[THEIR_ADMIN.tenant]}))

    assert (reply.status, reply.code) == (404, "TENANT_NOT_FOUND")


def test_suspended_person_is_refused(hub: Hub, someone: Callable[..., str]) -> None:
    token = someone("staff")
    authorization = f"Bearer {token}"
    first = hub.call("GET", "/me", NOBODY, authorization=authorization)
    subject = claims_of(token)["sub"]
    suspended = hub.call("PATCH", f"/memberships/{subject}", ADMIN, {"status": "suspended"})
    refused = hub.call("GET", "/me", NOBODY, authorization=authorization)
    hub.call("PATCH", f"/memberships/{subject}", ADMIN, {"status": "active"})
    restored = hub.call("GET", "/me", NOBODY, authorization=authorization)

    assert (first.status, suspended.status, restored.status) == (200, 200, 200)
    assert (refused.status, refused.code) == (403, "FORBIDDEN")
    assert "tenant" not in refused.json


def test_key_of_a_channel_and_player_are_refused(hub: Hub) -> None:
    """A channel's key may use its channel only; a player has no role."""
    key = hub.new_key(channel="sms")["apiKey"]

    assert hub.call("GET", "/me", machine(key)).code == "FORBIDDEN"
    assert hub.call("GET", "/me", Caller("player")).code == "UNAUTHORIZED"
    assert hub.call("GET", "/me", NOBODY).code == "UNAUTHORIZED"


def test_answer_has_no_personal_data(hub: Hub) -> None:
    """HUB 1, 44: name and e-mail are shown by GET /memberships only."""
    assert b"@" not in hub.call("GET", "/me", ADMIN).body


def test_change_of_the_tenant_is_seen_by_the_next_call(hub: Hub, someone: Callable[..., str]) -> None:
    made = new_tenant(hub)
    authorization = f"Bearer {someone('staff', tenant=made['id'])}"
    before = hub.call("GET", "/me", NOBODY, authorization=authorization).json
    hub.call("PATCH", f"/tenants/{made['id']}", DEPLOYMENT_ADMIN, {"timeZone": "Asia/Tokyo", "displayName": "Moved"})
    after = hub.call("GET", "/me", NOBODY, authorization=authorization).json

    assert after == before | {"tenant": before["tenant"] | {"timeZone": "Asia/Tokyo", "displayName": "Moved"}}
