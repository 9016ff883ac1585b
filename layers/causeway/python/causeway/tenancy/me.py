"""The caller as the hub sees it: role, permissions and tenant."""

from typing import Literal, cast

from pydantic import Field

from causeway.tenancy import tenants
from causeway.tenancy.context import RequestContext
from causeway.tenancy.permissions import ALLOWED, HubRole, Permission
from causeway.tenancy.tenants import TenantProfile
from causeway.wire import example_ids
from causeway.wire.models import Answer


class Me(Answer):
    """The caller."""

    kind: Literal["person", "machine"] = Field(examples=["person"])
    subject: str = Field(
        description="A person's sub claim, or the id of a machine's API key.",
        examples=[example_ids.SUBJECT],
    )
    role: HubRole = Field(examples=["staff"])
    permissions: list[Permission] = Field(
        description="What the role allows, in the order of the alphabet.", examples=[["connections.list", "me.read"]]
    )
    tenant: TenantProfile | None = Field(
        description="The caller's tenant, or the tenant that a super admin named; null: a super admin named none."
    )


def read(context: RequestContext) -> Me:
    """Return the caller.

    Raises:
        TenantNotFound: a super admin named a tenant that does not exist.
        Forbidden: the caller's membership is suspended.
    """
    caller = context.caller
    return Me(
        kind=caller.kind,
        subject=caller.subject,
        # The route needs a permission, and players have none.
        role=cast("HubRole", caller.role),
        permissions=sorted(ALLOWED[caller.role]),
        tenant=None if caller.tenant_id is None else tenants.own(context),
    )
