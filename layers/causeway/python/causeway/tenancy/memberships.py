"""Memberships: the people of a tenant, stored from the claims of their tokens; a membership can be suspended."""

from typing import Annotated, Any, Literal, LiteralString, Self

from pydantic import Field

from causeway.audit_log.entries import Action, logged_if_unavailable, record
from causeway.database.paging import KeyColumn, PagedSelect
from causeway.database.postgres import Transaction
from causeway.errors.requests import InvalidRequest
from causeway.errors.tenancy import MembershipNotFound, OwnMembership
from causeway.tenancy.claims import LONGEST_SUBJECT
from causeway.tenancy.context import RequestContext
from causeway.tenancy.permissions import TenantRole
from causeway.wire import example_ids, path_ids
from causeway.wire.field_readers import text_field
from causeway.wire.field_types import Time, Version
from causeway.wire.models import Answer, Request
from causeway.wire.page_models import PageAnswer, PageQuery
from causeway.wire.preconditions import Expected

# The fields of Membership, but address.
_SELECT: LiteralString = """
    SELECT subject, role, status, created_at, version, nullif(name, '') AS name, nullif(email, '') AS email,
        email_verified
    FROM memberships
"""
# In the order of the subjects.
PAGES = PagedSelect("memberships", _SELECT, "tenant_id = current_tenant()", (KeyColumn("subject", str),))
_ACTIONS = {"active": Action.MEMBERSHIP_RESTORED, "suspended": Action.MEMBERSHIP_SUSPENDED}
# Personal data, each with its value where there is none.
_PERSONAL = {"name": None, "email": None, "email_verified": False}

_Status = Annotated[Literal["active", "suspended"], Field(examples=["suspended"])]


class MembershipChange(Request):
    """PATCH /memberships/{subject}."""

    status: _Status


class Membership(Answer):
    """A person of the tenant. Name and e-mail are from the person's last token that had them."""

    subject: str = Field(description="The sub claim of the person's tokens.", examples=[example_ids.SUBJECT])
    address: str = Field(
        description="The subject as a path has it: as it is, or b64: and its base64url.",
        examples=[example_ids.SUBJECT],
    )
    role: TenantRole = Field(examples=["staff"])
    status: _Status
    created_at: Time
    version: Version
    name: str | None = Field(description="null: no token had it.", examples=["Amal Haddad"])
    email: str | None = Field(description="null: no token had it.", examples=["amal@jaqpot.example"])
    email_verified: bool = Field(description="Whether the user pool has verified the address.", examples=[True])

    def unnamed(self) -> Self:
        """Return the membership without personal data."""
        return self.model_copy(update=_PERSONAL)

    def audited(self) -> dict[str, Any]:
        """Return the membership as the audit log stores it: without personal data, as entries are never deleted."""
        return self.model_dump(mode="json", by_alias=True, exclude=set(_PERSONAL))


def _of_row(row: Any) -> Membership:
    return Membership(**row._asdict(), address=path_ids.encode(row.subject))


class MembershipQuery(PageQuery):
    """GET /memberships."""


class MembershipPage(PageAnswer):
    """A page of a tenant's people."""

    memberships: list[Membership]


def page(context: RequestContext, query: MembershipQuery) -> MembershipPage:
    """Return a page of the tenant's people, in the order of their subjects.

    Args:
        context: of the tenant.
        query: as sent.

    Raises:
        InvalidRequest: the cursor is not one of this list.
    """
    wanted = query.request(PAGES.listing, context.tenant)
    with context.transaction() as transaction:
        found = PAGES.page(transaction, wanted, _of_row)
    return MembershipPage(memberships=found.items, **found.cursors)


def change(
    context: RequestContext, subject: str, wanted: MembershipChange, expected: Expected, *, exact: bool = True
) -> Membership:
    """Suspend a person, so that the next call is refused, or restore the membership; an equal status changes nothing.

    Args:
        context: of the tenant.
        subject: of the person.
        wanted: as sent.
        expected: versions from If-Match.
        exact: the path has the whole subject; otherwise API Gateway may have cut it at a question mark.

    Raises:
        InvalidRequest: the subject may be the beginning of another one.
        MembershipNotFound: the tenant has no such person.
        VersionMismatch.
        OwnMembership: the membership is the caller's own.
    """
    if subject == context.caller.subject:
        _record_refusal(context, wanted.status)
        raise OwnMembership
    with context.transaction() as transaction:
        before = _find(transaction, subject, exact=exact)
        expected.check(before.version)
        if before.status == wanted.status:
            context.finish(transaction, before)
            return before
        after = before.model_copy(update={"status": wanted.status, "version": before.version + 1})
        _save(context, transaction, before, after)
        context.finish(transaction, after)
    return after


def _save(context: RequestContext, transaction: Transaction, before: Membership, after: Membership) -> None:
    """Write a new status and its audit entry."""
    transaction.execute(
        """
        UPDATE memberships SET status = %s, version = version + 1
        WHERE tenant_id = current_tenant() AND subject = %s
        """,
        [after.status, after.subject],
    )
    entry = context.entry(
        _ACTIONS[after.status],
        object_kind="membership",
        object_id=after.subject,
        before=before.audited(),
        after=after.audited(),
    )
    record(transaction, entry)


def _record_refusal(context: RequestContext, status: str) -> None:
    """Record that a caller tried to change their own membership."""
    subject, after = context.caller.subject, {"refused": OwnMembership.code}
    entry = context.entry(_ACTIONS[status], object_kind="membership", object_id=subject, outcome="refused", after=after)
    # Not record_refusal: it would record the attempt of a suspended admin too, who must get Suspended here.
    with logged_if_unavailable(entry), context.transaction() as transaction:
        record(transaction, entry)


def _find(transaction: Transaction, subject: str, *, exact: bool) -> Membership:
    try:
        wanted = text_field({"subject": subject}, "subject", LONGEST_SUBJECT)
    except InvalidRequest as error:
        raise MembershipNotFound from error
    row = transaction.execute(
        f"""
        {_SELECT}
        WHERE tenant_id = current_tenant() AND subject = %s
        FOR UPDATE
        """,
        [wanted],
    ).fetchone()
    if not exact and _is_prefix_of_another(transaction, wanted):
        raise InvalidRequest(
            "Another person's subject goes on after this one with a question mark: send its b64: address"
        )
    if row is None:
        raise MembershipNotFound
    return _of_row(row)


def _is_prefix_of_another(transaction: Transaction, subject: str) -> bool:
    """Return whether another subject is this one plus "?...": API Gateway would cut it to this one."""
    return (
        transaction.execute(
            "SELECT FROM memberships WHERE tenant_id = current_tenant() AND starts_with(subject, %s || '?') LIMIT 1",
            [subject],
        ).rowcount
        > 0
    )
