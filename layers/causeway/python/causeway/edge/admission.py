"""The admission of callers of the hub: identity, tenant and permission, with refusals in the audit log."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

from causeway.audit_log import entries
from causeway.database import postgres
from causeway.database.postgres import Database
from causeway.edge.http_events import headers_of
from causeway.errors.tenancy import Forbidden, TenantNotFound
from causeway.outbound.deadlines import Deadline
from causeway.tenancy import machine_limits
from causeway.tenancy.authorizer_context import AuthorizerContext
from causeway.tenancy.context import RequestContext
from causeway.tenancy.permissions import Permission

# Seconds before the function's time limit at which a call stops waiting for the database.
_RESERVE = 1.0


def bounded_database(lambda_context: Any) -> Database:
    """Return the database with a deadline for this call: the answer must be sent before Lambda ends the function."""
    seconds = lambda_context.get_remaining_time_in_millis() / 1000
    return postgres.current().within(Deadline(seconds - _RESERVE))


def context_of(event: Mapping[str, Any], database: Database) -> RequestContext:
    """Return the context of a call, with the caller as the authorizer authenticated it.

    Raises:
        Unauthorized: the call is not authenticated.
        CausewayError: the authorizer's error.
    """
    request = event["requestContext"]
    asked = headers_of(dict(event)).get("x-tenant-id")
    caller = AuthorizerContext.parse(request.get("authorizer", {})).caller(asked)
    counted = machine_limits.counts_on_admission(str(event.get("routeKey", "")))
    return RequestContext(caller, request["http"]["sourceIp"], request["requestId"], database, counted=counted)


@contextmanager
def admitted(context: RequestContext, permission: Permission, route: str, tenant_asked: str | None) -> Generator[None]:
    """Run a block for a caller who has a permission; a refusal is written to the tenant's audit log.

    Args:
        context: of the call.
        permission: what the route asks for.
        route: method and path as template.yaml has them.
        tenant_asked: X-Tenant-Id.

    Raises:
        Forbidden: the caller's role does not have the permission, or the block raised it.
        TenantNotFound: X-Tenant-Id names another tenant.
    """
    try:
        context.caller.require(permission)
        _require_tenant(context, permission, route, tenant_asked)
        yield
    except Forbidden as refusal:
        _record_refusal(context, refusal.permission or permission, route)
        raise


def _require_tenant(context: RequestContext, permission: str, route: str, asked: str | None) -> None:
    try:
        context.caller.require_tenant(asked)
    except TenantNotFound:
        _record_refusal(context, permission, route, refused=TenantNotFound.code)
        raise


def _record_refusal(context: RequestContext, permission: str, route: str, **more: str) -> None:
    entry = context.entry(
        entries.Action.ACCESS_REFUSED,
        object_kind="permission",
        object_id=permission,
        outcome="refused",
        after={"route": route, **more},
    )
    context.record_refusal(entry)
