"""Tenants and their memberships."""

from causeway.tenancy import memberships, tenants
from causeway.tenancy.permissions import TENANT_ROLES
from tools.openapi.schemas.shapes import (
    TEXT,
    TIME,
    VERSION,
    Schema,
    object_of,
    or_null,
    page_of,
    page_query,
)

_STATUS: Schema = {"enum": list(memberships.STATUSES)}
_ROLE: Schema = {"enum": list(TENANT_ROLES)}

SCHEMAS: dict[str, Schema] = {
    "TenantPage": page_of("tenants", "Tenant"),
    "TenantQuery": page_query(tenants.LISTING),
    "MembershipChange": object_of({"status": _STATUS}),
    "Membership": object_of(
        {
            "subject": TEXT,
            "address": TEXT,
            "role": _ROLE,
            "status": _STATUS,
            "createdAt": TIME,
            "version": VERSION,
            "name": or_null(TEXT)
            | {"description": "From the person's last token; null where the token does not have it."},
            "email": or_null(TEXT)
            | {"description": "From the person's last token; null where the token does not have it."},
            "emailVerified": {"type": "boolean", "description": "Whether the user pool has verified the address."},
        }
    ),
    "MembershipPage": page_of("memberships", "Membership"),
    "MembershipQuery": page_query(memberships.LISTING),
}
