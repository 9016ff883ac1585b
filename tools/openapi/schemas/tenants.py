"""Tenants and their memberships."""

from causeway.tenancy import memberships, tenants
from tools.openapi.schemas.shapes import Schema, page_of, page_query

SCHEMAS: dict[str, Schema] = {
    "TenantPage": page_of("tenants", "Tenant"),
    "TenantQuery": page_query(tenants.LISTING),
    "MembershipPage": page_of("memberships", "Membership"),
    "MembershipQuery": page_query(memberships.LISTING),
}
