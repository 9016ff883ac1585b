"""The parameters of paths and the headers of requests, by name."""

from causeway.wire.fields import CODE
from tools.openapi.schemas.calendars import CALENDAR
from tools.openapi.schemas.shapes import ID, Schema

PATH: dict[str, Schema] = {
    "connection_id": ID,
    "key_id": ID,
    "run_id": ID,
    "tenant_id": ID,
    "subject": {
        "type": "string",
        "pattern": "^([0-9A-Za-z._~-]{1,255}|b64:[0-9A-Za-z_-]{2,1360})$",
        "description": "The person's address as the list shows it: the sub, or b64: followed by its base64url form.",
    },
    "template_id": {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,63}$"},
    "calendar_id": CALENDAR,
}

HEADERS: dict[str, Schema] = {
    "X-Tenant-Id": ID
    | {"description": "The tenant that a super admin works on. Other callers may send their own tenant only."},
    "x-provider-code": {"type": "string", "pattern": f"^{CODE.pattern}$", "description": "The game provider's code."},
    "If-Match": {
        "type": "string",
        "pattern": r'^(\*|"[0-9]{1,18}"(, ?"[0-9]{1,18}")*)$',
        "description": "An ETag, a list of ETags, or *: the object is changed only if its current ETag is among them.",
    },
    "Idempotency-Key": {
        "type": "string",
        "pattern": "^[!-~]{1,255}$",
        "description": "The same key with the same request returns the first answer again, for 24 hours.",
    },
}
# Headers of every route of the hub that changes something.
CHANGE_HEADERS = ("If-Match", "Idempotency-Key")
# The error code that a route declares where it requires the header.
REQUIRED_BY = {"If-Match": "IF_MATCH_REQUIRED"}
