"""Memberships: the people of a tenant, stored from the claims of their tokens; a membership can be suspended."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, LiteralString

from causeway.audit_log.entries import Action, logged_if_unavailable, record
from causeway.database.paging import PagedSelect
from causeway.database.postgres import Transaction
from causeway.errors.requests import InvalidRequest
from causeway.errors.tenancy import MembershipNotFound, OwnMembership
from causeway.tenancy.claims import LONGEST_SUBJECT
from causeway.tenancy.context import RequestContext
from causeway.wire import path_ids
from causeway.wire.fields import choice_field, known_fields, text_field
from causeway.wire.pages import Listing, Page
from causeway.wire.preconditions import Expected

STATUSES = ("active", "suspended")
# In the order of Membership's fields.
_SELECT: LiteralString = """
    SELECT subject, role, status, created_at, version, name, email, email_verified FROM memberships
"""
# In the order of the subjects.
LISTING = Listing("memberships", (str,))
PAGES = PagedSelect(_SELECT, "tenant_id = current_tenant()", ("subject",))
_ACTIONS = {"active": Action.MEMBERSHIP_RESTORED, "suspended": Action.MEMBERSHIP_SUSPENDED}


@dataclass(frozen=True, slots=True)
class Membership:
    """A person of the tenant.

    Attributes:
        subject: the `sub` claim; name and email come from claims, too.
    """

    subject: str
    role: str
    status: str
    created_at: datetime
    version: int
    name: str
    email: str
    email_verified: bool

    def as_json(self) -> dict[str, Any]:
        """Return the membership as the API shows it; null: no token had the value."""
        return self.audited() | {
            "name": self.name or None,
            "email": self.email or None,
            "emailVerified": self.email_verified,
        }

    def unnamed(self) -> "Membership":
        """Return the membership without personal data."""
        return replace(self, name="", email="", email_verified=False)

    def audited(self) -> dict[str, Any]:
        """Return the membership as the audit log stores it: without personal data, as entries are never deleted."""
        return {
            "subject": self.subject,
            "address": path_ids.encode(self.subject),
            "role": self.role,
            "status": self.status,
            "createdAt": self.created_at.isoformat(),
            "version": self.version,
        }


def page(context: RequestContext, query: dict[str, str]) -> Page[Membership]:
    """Return a page of the tenant's people, in the order of their subjects.

    Args:
        context: of the tenant.
        query: limit and cursor.

    Raises:
        InvalidRequest: the sentence names the parameter.
    """
    wanted = LISTING.request(query, context.tenant)
    with context.transaction() as transaction:
        rows = PAGES.fetch(transaction, wanted)
    return wanted.page([Membership(*row) for row in rows], lambda membership: (membership.subject,), Membership.as_json)


def change(
    context: RequestContext, subject: str, body: dict[str, Any], expected: Expected, *, exact: bool = True
) -> Membership:
    """Suspend a person, so that the next call is refused, or restore the membership; an equal status changes nothing.

    Args:
        context: of the tenant.
        subject: of the person.
        body: has the status.
        expected: versions from If-Match.
        exact: the path has the whole subject; otherwise API Gateway may have cut it at a question mark.

    Raises:
        InvalidRequest: the sentence names the field, or the subject may be the beginning of another one.
        MembershipNotFound: the tenant has no such person.
        VersionMismatch.
        OwnMembership: the membership is the caller's own.
    """
    known_fields(body, {"status"})
    status = choice_field(body, "status", STATUSES)
    if status is None:
        raise InvalidRequest(f"status must be one of {', '.join(STATUSES)}")
    if subject == context.caller.subject:
        _record_refusal(context, status)
        raise OwnMembership
    with context.transaction() as transaction:
        before = _find(transaction, subject, exact=exact)
        expected.check(before.version)
        if before.status == status:
            context.finish(transaction, before)
            return before
        after = replace(before, status=status, version=before.version + 1)
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
    return Membership(*row)


def _is_prefix_of_another(transaction: Transaction, subject: str) -> bool:
    """Return whether another subject is this one plus "?...": API Gateway would cut it to this one."""
    return (
        transaction.execute(
            "SELECT FROM memberships WHERE tenant_id = current_tenant() AND starts_with(subject, %s || '?') LIMIT 1",
            [subject],
        ).rowcount
        > 0
    )
