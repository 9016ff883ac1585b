"""The tenants of the deployment: super admins create, list and change them. A code never changes."""

from collections.abc import Mapping
from typing import Annotated, LiteralString
from uuid import UUID

from psycopg import errors as pg
from pydantic import Field

from causeway.audit_log.entries import DEPLOYMENT, Action, record
from causeway.database.paging import KeyColumn, PagedSelect
from causeway.database.postgres import Transaction
from causeway.errors.requests import NameTaken
from causeway.errors.tenancy import TenantNotFound
from causeway.tenancy import regions
from causeway.tenancy.context import RequestContext
from causeway.tenancy.regions import Country, Currency, Language, TimeZone
from causeway.wire import example_ids
from causeway.wire.field_readers import CODE, parse_uuid
from causeway.wire.field_types import Id, Name, Omittable, Text, Time, Version
from causeway.wire.models import Answer, Change, Request
from causeway.wire.page_models import PageAnswer, PageQuery
from causeway.wire.preconditions import Expected

# The fields of TenantProfile, then those that Tenant adds.
_PROFILE: LiteralString = "tenant_id, code, display_name, country, time_zone, currency, language"
_COLUMNS: LiteralString = f"{_PROFILE}, created_at, version"
_FROM: LiteralString = "FROM tenants"
_SELECT: LiteralString = f"SELECT {_COLUMNS} {_FROM}"
_INSERT: LiteralString = "INSERT INTO tenants (code, display_name, country, time_zone, currency, language)"
_UPDATE: LiteralString = "UPDATE tenants"
# In the order of the codes.
PAGES = PagedSelect("tenants", _SELECT, "true", (KeyColumn("code", str),))

_Code = Annotated[
    str, Field(description="The casino's code at its game providers.", examples=[example_ids.TENANT_CODE])
]
_DisplayName = Annotated[str, Field(examples=["Jaqpot Casino"])]


def parse_tenant_id(path: Mapping[str, str]) -> UUID:
    """Read a tenant's id from a request's path; raises TenantNotFound if it is not a UUID."""
    return parse_uuid(path["tenant_id"], TenantNotFound)


class TenantDraft(Request):
    """POST /tenants. What is not sent follows the country."""

    code: Annotated[_Code, Text(pattern=CODE.pattern)] = Field(examples=["SUNSET"])
    display_name: Annotated[_DisplayName, Name(200)]
    country: Country | None = None
    time_zone: Omittable[TimeZone] = None
    currency: Omittable[Currency] = None
    language: Omittable[Language] = None


class TenantChange(Change):
    """PATCH /tenants/{tenant_id}: the fields to change. The other fields stay, also if the country changes."""

    display_name: Omittable[Annotated[_DisplayName, Name(200)]] = None
    country: Country | None = None
    time_zone: Omittable[TimeZone] = None
    currency: Omittable[Currency] = None
    language: Omittable[Language] = None


class TenantProfile(Answer):
    """What a tenant's people and machines see of it."""

    tenant_id: Id = Field(alias="id")
    code: _Code
    display_name: _DisplayName
    country: Country | None
    time_zone: TimeZone
    currency: Currency
    language: Language


class Tenant(TenantProfile):
    """A tenant, as super admins see it."""

    created_at: Time
    version: Version


class TenantQuery(PageQuery):
    """GET /tenants."""


class TenantPage(PageAnswer):
    """A page of tenants."""

    tenants: list[Tenant]


def create(context: RequestContext, draft: TenantDraft) -> Tenant:
    """Create a tenant; X-Tenant-Id can name it at once.

    Args:
        context: a super admin's.
        draft: as sent.

    Raises:
        InvalidRequest: a regional setting is not known, or is missing and the country has none to follow.
        NameTaken: another tenant has the code.
    """
    with context.deployment_transaction() as transaction:
        values = draft.model_dump() | regions.of_new_tenant(transaction, draft.model_dump())
        try:
            [row] = transaction.execute(
                f"""
                {_INSERT}
                VALUES (%(code)s, %(display_name)s, %(country)s, %(time_zone)s, %(currency)s, %(language)s)
                RETURNING {_COLUMNS}
                """,
                values,
            ).fetchall()
        except pg.UniqueViolation as error:
            raise NameTaken("There is already a tenant of this code") from error
        made = Tenant.of_row(row)
        context.finish(transaction, made)
        _record(context, transaction, Action.TENANT_CREATED, None, made)
    return made


def find(context: RequestContext, tenant_id: UUID) -> Tenant:
    """Return a tenant; raises TenantNotFound."""
    with context.deployment_transaction() as transaction:
        return _find(transaction, tenant_id)


def own(context: RequestContext) -> TenantProfile:
    """Return the tenant that the call is about.

    Raises:
        TenantRequired, TenantNotFound: a super admin named no tenant, or one that does not exist.
        Forbidden: the caller's membership is suspended.
    """
    with context.transaction() as transaction:
        [row] = transaction.execute(f"SELECT {_PROFILE} {_FROM} WHERE tenant_id = current_tenant()").fetchall()
    return TenantProfile.of_row(row)


def page(context: RequestContext, query: TenantQuery) -> TenantPage:
    """Return a page of the tenants, in the order of their codes.

    Args:
        context: a super admin's.
        query: as sent.

    Raises:
        InvalidRequest: the cursor is not one of this list.
    """
    wanted = query.request(PAGES.listing, DEPLOYMENT)
    with context.deployment_transaction() as transaction:
        found = PAGES.page(transaction, wanted, Tenant.of_row)
    return TenantPage(tenants=found.items, **found.cursors)


def change(context: RequestContext, tenant_id: UUID, wanted: TenantChange, expected: Expected) -> Tenant:
    """Change the fields of a tenant that were sent; equal values change nothing.

    Raises:
        InvalidRequest: a regional setting is not known.
        TenantNotFound, VersionMismatch.
    """
    sent = wanted.model_dump(exclude_unset=True)
    with context.deployment_transaction() as transaction:
        # Lock the row: of two changes at once, the second must see the result of the first.
        before = _find(transaction, tenant_id, lock=True)
        expected.check(before.version)
        regions.check(transaction, sent)
        changed = before.model_copy(update=sent)
        if changed == before:
            context.finish(transaction, before)
            return before
        [row] = transaction.execute(
            f"""
            {_UPDATE} SET display_name = %(display_name)s, country = %(country)s, time_zone = %(time_zone)s,
                currency = %(currency)s, language = %(language)s, version = version + 1
            WHERE tenant_id = %(tenant_id)s
            RETURNING {_COLUMNS}
            """,
            changed.model_dump(),
        ).fetchall()
        after = Tenant.of_row(row)
        context.finish(transaction, after)
        _record(context, transaction, Action.TENANT_CHANGED, before, after)
    return after


def _find(transaction: Transaction, tenant_id: UUID, *, lock: bool = False) -> Tenant:
    # This lock does not block foreign keys of the tenant's rows.
    end: LiteralString = "FOR NO KEY UPDATE" if lock else ""
    row = transaction.execute(f"{_SELECT} WHERE tenant_id = %s {end}", [tenant_id]).fetchone()
    if row is None:
        raise TenantNotFound
    return Tenant.of_row(row)


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
