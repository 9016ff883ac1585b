"""Tenants, and the people in them."""

from causeway.tenancy import memberships
from tools.openapi.schemas.shapes import (
    ID,
    NEXT_CURSOR,
    TEXT,
    TIME,
    VERSION,
    Schema,
    list_of,
    object_of,
    or_null,
    query_of,
    ref,
    rows,
    text,
)

_CODE: Schema = {"type": "string", "pattern": "^[A-Z0-9_]{1,64}$", "description": "What game providers call it."}
_NAME = {"displayName": text(200)}
_STATUS: Schema = {"enum": list(memberships.STATUSES)}
_ROLE: Schema = {"enum": ["tenant_admin", "regulator", "staff"]}

SCHEMAS: dict[str, Schema] = {
    "TenantDraft": object_of({"code": _CODE, **_NAME}),
    "TenantChange": object_of(_NAME),
    "Tenant": object_of({"id": ID, "code": _CODE, **_NAME, "createdAt": TIME, "version": VERSION}),
    "TenantPage": object_of({"tenants": list_of(ref("Tenant")), "nextCursor": NEXT_CURSOR}),
    "TenantQuery": query_of({"limit": rows(), "cursor": text(64)}),
    "MembershipChange": object_of({"status": _STATUS}),
    "Membership": object_of(
        {
            "subject": TEXT,
            "address": TEXT,
            "role": _ROLE,
            "status": _STATUS,
            "createdAt": TIME,
            "version": VERSION,
            "name": or_null(TEXT) | {"description": "As the person's last token says; null where it does not."},
            "email": or_null(TEXT) | {"description": "As the person's last token says; null where it does not."},
            "emailVerified": {"type": "boolean", "description": "Whether the user pool has proved the address."},
        }
    ),
    "MembershipPage": object_of({"memberships": list_of(ref("Membership")), "nextCursor": NEXT_CURSOR}),
    "MembershipQuery": query_of({"limit": rows(), "cursor": text(1360)}),
}
