"""Calls that create an object of each kind, for Idempotency-Keys; and a key whose first attempt died."""

from collections.abc import Callable
from secrets import token_hex
from typing import Any

from local.sandbox.registry import demo_credentials
from tests.hub.client import ADMIN, DEPLOYMENT_ADMIN, Caller, Hub, draft
from tests.hub.objects import new_template

Rows = Callable[..., list[Any]]

SLOT = {"startTime": "2027-06-01T10:00:00+02:00", "endTime": "2027-06-01T10:30:00+02:00"}

CALENDAR = demo_credentials("gohighlevel")["calendarId"]


# How to create each kind of object: path, caller, body.
MAKERS: dict[str, Callable[[Hub, str], tuple[str, Caller, Any]]] = {
    "integration": lambda _, __: ("/integrations", ADMIN, draft()),
    "api key": lambda _, __: ("/api-keys", ADMIN, {"name": f"key {token_hex(6)}"}),
    "tenant": lambda _, __: (
        *("/tenants", DEPLOYMENT_ADMIN),
        {"code": f"T{token_hex(8).upper()}", "displayName": "A tenant"},
    ),
    "template": lambda hub, _: ("/integrations/templates", DEPLOYMENT_ADMIN, new_template(hub)),
    "sync": lambda _, calendar: (f"{calendar.split('/calendars')[0]}/sync", ADMIN, None),
    "blocked slot": lambda _, calendar: (f"{calendar}/block-slots", ADMIN, SLOT),
}


def died(rows: Rows, key: str) -> None:
    """Make the key look as if its attempt had died before its work, a while ago."""
    changed = rows(
        """
        UPDATE idempotency_keys SET status = NULL, headers = NULL, body = NULL, leased_until = now() - interval '1 s'
        WHERE idempotency_key = %s RETURNING object_id
        """,
        [key],
    )
    assert len(changed) == 1
