"""The tenants of the deployment: super admins create, list and rename them. A code never changes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString, Self
from uuid import UUID

from psycopg import errors as pg

from causeway.audit_log.entries import DEPLOYMENT, Action, record
from causeway.database.postgres import Transaction
from causeway.errors.requests import InvalidRequest, NameTaken
from causeway.errors.tenancy import TenantNotFound
from causeway.tenancy.context import RequestContext
from causeway.wire.fields import CODE, known_fields, parse_uuid, text_field
from causeway.wire.names import name_field
from causeway.wire.pages import Listing, Page
from causeway.wire.preconditions import Expected

# In the order of Tenant's fields.
_COLUMNS: LiteralString = "tenant_id, code, display_name, created_at, version"
_FROM: LiteralString = "FROM tenants"
_SELECT: LiteralString = f"SELECT {_COLUMNS} {_FROM}"
_INSERT: LiteralString = "INSERT INTO tenants (code, display_name)"
_UPDATE: LiteralString = "UPDATE tenants"
_LONGEST_NAME = 200
# In the order of the codes.
LISTING = Listing("tenants", (str,))


def parse_tenant_id(path: Mapping[str, str]) -> UUID:
    """Read a tenant's id from a request's path; raises TenantNotFound if it is not a UUID."""
    return parse_uuid(path["tenant_id"], TenantNotFound)


@dataclass(frozen=True, slots=True)
class TenantDraft:
    """POST /tenants.

    Attributes:
        code: by which game providers know the casino.
    """

    code: str
    display_name: str

    @classmethod
    def parse(cls, body: dict[str, Any]) -> Self:
        """Read the body; raises InvalidRequest, which names the field."""
        known_fields(body, {"code", "displayName"})
        code = text_field(body, "code", 64)
        if not CODE.fullmatch(code):
            raise InvalidRequest("code must be of capital letters A to Z, digits and _")
        return cls(code, name_field(body, "displayName", _LONGEST_NAME))


@dataclass(frozen=True, slots=True)
class Tenant:
    """A tenant."""

    tenant_id: UUID
    code: str
    display_name: str
    created_at: datetime
    version: int

    def as_json(self) -> dict[str, Any]:
        """Return the tenant as the API shows it."""
        return {
            "id": str(self.tenant_id),
            "code": self.code,
            "displayName": self.display_name,
            "createdAt": self.created_at.isoformat(),
            "version": self.version,
        }


def create(context: RequestContext, draft: TenantDraft) -> Tenant:
    """Create a tenant; X-Tenant-Id can name it at once.

    Args:
        context: a super admin's.
        draft: as sent.

    Raises:
        NameTaken: another tenant has the code.
    """
    with context.deployment_transaction() as transaction:
        try:
            [row] = transaction.execute(
                f"{_INSERT} VALUES (%s, %s) RETURNING {_COLUMNS}",
                [draft.code, draft.display_name],
            ).fetchall()
        except pg.UniqueViolation as error:
            raise NameTaken("There is already a tenant of this code") from error
        made = Tenant(*row)
        context.finish(transaction, made)
        _record(context, transaction, Action.TENANT_CREATED, None, made)
    return made


def find(context: RequestContext, tenant_id: UUID) -> Tenant:
    """Return a tenant; raises TenantNotFound."""
    with context.deployment_transaction() as transaction:
        return _find(transaction, tenant_id)


def page(context: RequestContext, query: dict[str, str]) -> Page[Tenant]:
    """Return a page of the tenants, in the order of their codes.

    Args:
        context: a super admin's.
        query: limit and cursor.

    Raises:
        InvalidRequest: the sentence names the parameter.
    """
    wanted = LISTING.request(query, DEPLOYMENT)
    [after] = wanted.after or [None]
    with context.deployment_transaction() as transaction:
        rows = transaction.execute(
            f"""
            {_SELECT}
            WHERE %(after)s::text IS NULL OR code > %(after)s
            ORDER BY code
            LIMIT %(limit)s + 1
            """,
            {"after": after, "limit": wanted.limit},
        ).fetchall()
    return wanted.page([Tenant(*row) for row in rows], lambda tenant: (tenant.code,), Tenant.as_json)


def change(context: RequestContext, tenant_id: UUID, body: dict[str, Any], expected: Expected) -> Tenant:
    """Change a tenant's display name; an equal name changes nothing.

    Raises:
        InvalidRequest: the sentence names the field.
        TenantNotFound, VersionMismatch.
    """
    known_fields(body, {"displayName"})
    name = name_field(body, "displayName", _LONGEST_NAME)
    with context.deployment_transaction() as transaction:
        # Lock the row: of two changes at once, the second must see the result of the first.
        before = _find(transaction, tenant_id, lock=True)
        expected.check(before.version)
        if before.display_name == name:
            context.finish(transaction, before)
            return before
        [row] = transaction.execute(
            f"""
            {_UPDATE} SET display_name = %s, version = version + 1 WHERE tenant_id = %s
            RETURNING {_COLUMNS}
            """,
            [name, tenant_id],
        ).fetchall()
        after = Tenant(*row)
        context.finish(transaction, after)
        _record(context, transaction, Action.TENANT_CHANGED, before, after)
    return after


def _find(transaction: Transaction, tenant_id: UUID, *, lock: bool = False) -> Tenant:
    # This lock does not block foreign keys of the tenant's rows.
    end: LiteralString = "FOR NO KEY UPDATE" if lock else ""
    row = transaction.execute(f"{_SELECT} WHERE tenant_id = %s {end}", [tenant_id]).fetchone()
    if row is None:
        raise TenantNotFound
    return Tenant(*row)


def _record(
    context: RequestContext,
    transaction: Transaction,
    action: Action,
    before: Tenant | None,
    after: Tenant,
) -> None:
    """Record the change in the deployment's chain, then in the tenant's, after changing to the tenant."""
    entry = context.entry(
        action,
        object_kind="tenant",
        object_id=str(after.tenant_id),
        before=None if before is None else before.as_json(),
        after=after.as_json(),
    )
    record(transaction, entry)
    transaction.execute("SELECT enter_tenant_v1(%s)", [after.tenant_id])
    record(transaction, entry)
