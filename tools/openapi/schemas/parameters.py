"""The parameters of paths and the headers of requests, by name."""

from tools.openapi.schemas.shapes import ID, Schema

PATH: dict[str, Schema] = {
    "connection_id": ID,
    "key_id": ID,
    "run_id": ID,
    "tenant_id": ID,
    "subject": {
        "type": "string",
        "pattern": "^([0-9A-Za-z._~-]{1,255}|b64:[0-9A-Za-z_-]{2,1360})$",
        "description": "The person's address as the list shows it: their sub, or b64: and its base64url form.",
    },
    "template_id": {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,63}$"},
    "calendar_id": {"type": "string", "pattern": "^[0-9A-Za-z_-]{1,128}$"},
}

HEADERS: dict[str, Schema] = {
    "X-Tenant-Id": ID | {"description": "The tenant a super admin means; of anybody else none but their own."},
    "x-provider-code": {"type": "string", "pattern": "^[A-Z0-9_]{1,64}$", "description": "The game provider's code."},
    "If-Match": {
        "type": "string",
        "pattern": r'^(\*|"[0-9]{1,18}"(, ?"[0-9]{1,18}")*)$',
        "description": "The ETag last seen, a list of them, or *: the object is changed if it still has one of them.",
    },
    "Idempotency-Key": {
        "type": "string",
        "pattern": "^[!-~]{1,255}$",
        "description": "The same key with the same request gets the first answer again, for 24 hours.",
    },
}
# What every route of the hub that changes something takes.
CHANGE_HEADERS = ("If-Match", "Idempotency-Key")
# The header that a route requires, by the error code that it declares for it.
REQUIRED_BY = {"If-Match": "IF_MATCH_REQUIRED"}
