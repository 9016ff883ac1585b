"""Every route that changes or creates an object: how to make the object, the call, and the caller."""

from collections.abc import Callable
from secrets import token_hex
from typing import Any

from tests.hub.client import ADMIN, DEPLOYMENT_ADMIN, REGULATOR, Caller, Hub, claims_of, draft
from tests.hub.objects import added


def connection(hub: Hub) -> str:
    return hub.connection()


def template(hub: Hub) -> str:
    return added(hub).headers["location"]


def tenant(hub: Hub) -> str:
    body = {"code": f"T{token_hex(8).upper()}", "displayName": "A tenant"}
    return hub.call("POST", "/tenants", DEPLOYMENT_ADMIN, body).headers["location"]


def api_key(hub: Hub) -> str:
    return f"/api-keys/{hub.new_key()['id']}"


def membership(hub: Hub) -> str:
    """The regulator's membership: changes of it are refused here, so it stays as it is."""
    return f"/memberships/{claims_of(hub.token(REGULATOR) or '')['sub']}"


# Every route that changes an object: how to create one, the call, and the caller.
CHANGES: dict[str, tuple[Callable[[Hub], str], str, str, Any, Caller]] = {
    "PATCH /integrations/{connection_id}": (connection, "PATCH", "", {"description": "x"}, ADMIN),
    "DELETE /integrations/{connection_id}": (connection, "DELETE", "", None, ADMIN),
    "POST /integrations/{connection_id}/test": (connection, "POST", "/test", None, ADMIN),
    "POST /integrations/{connection_id}/sync": (connection, "POST", "/sync", None, ADMIN),
    "POST /integrations/{connection_id}/enable": (connection, "POST", "/enable", None, ADMIN),
    "POST /integrations/{connection_id}/disable": (connection, "POST", "/disable", None, ADMIN),
    "PUT /integrations/{connection_id}/limits": (connection, "PUT", "/limits", {"minute": 50}, ADMIN),
    "POST /integrations/{connection_id}/credentials/rotate": (
        *(connection, "POST", "/credentials/rotate", {"config": {"api_key": "x"}}, ADMIN),
    ),
    "POST /integrations/{connection_id}/credentials/rollback": (
        *(connection, "POST", "/credentials/rollback", None, ADMIN),
    ),
    "POST /integrations/{connection_id}/calendars/{calendar_id}/block-slots": (
        *(connection, "POST", "/calendars/a/block-slots"),
        {"startTime": "2027-06-01T10:00:00Z", "endTime": "2027-06-01T10:30:00Z"},
        ADMIN,
    ),
    "POST /integrations/{connection_id}/authorize": (connection, "POST", "/authorize", {}, ADMIN),
    "POST /integrations/{connection_id}/authorize/complete": (connection, "POST", "/authorize/complete", None, ADMIN),
    "PUT /integrations/templates/{template_id}/oauth-app": (
        *(template, "PUT", "/oauth-app", {"clientId": "x", "clientSecret": "x"}, DEPLOYMENT_ADMIN),
    ),
    "PATCH /integrations/templates/{template_id}": (template, "PATCH", "", {"description": "x"}, DEPLOYMENT_ADMIN),
    "PATCH /tenants/{tenant_id}": (tenant, "PATCH", "", {"displayName": "Another"}, DEPLOYMENT_ADMIN),
    "PATCH /memberships/{subject}": (membership, "PATCH", "", {"status": "suspended"}, ADMIN),
    "DELETE /api-keys/{key_id}": (api_key, "DELETE", "", None, ADMIN),
}

# Every route that creates something.
CREATIONS: dict[str, tuple[str, Caller, Any]] = {
    "POST /integrations": ("/integrations", ADMIN, draft()),
    "POST /integrations/templates": ("/integrations/templates", DEPLOYMENT_ADMIN, {}),
    "POST /tenants": ("/tenants", DEPLOYMENT_ADMIN, {"code": f"T{token_hex(8).upper()}", "displayName": "x"}),
    "POST /api-keys": ("/api-keys", ADMIN, {"name": f"key {token_hex(6)}"}),
}
