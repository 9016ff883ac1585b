"""Entries of the audit log as they were written, read in pages."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from causeway.audit_log.entries import storable_id
from causeway.database.paging import PagedSelect
from causeway.database.postgres import Transaction
from causeway.wire.pages import Listing, Page, PageRequest

# Newest first.
LISTING = Listing("audit_log", (int,), most_rows=1000, rows=100)
# Fields of an entry that a list can be filtered by; they are compared exactly.
TEXT_FILTERS = ("action", "actor", "object_kind", "object_id", "outcome")


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """The filter of entries; None selects all. Times have a zone; since is included, until is not."""

    action: str | None = None
    actor: str | None = None
    object_kind: str | None = None
    object_id: str | None = None
    outcome: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class RecordedEntry:
    """An entry as it was written."""

    tenant_id: UUID
    entry: int
    at: datetime
    actor_kind: str
    actor: str | None
    actor_role: str | None
    action: str
    object_kind: str
    object_id: str | None
    outcome: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    source_ip: str | None
    request_id: str | None
    # In hexadecimal.
    hash: str

    def as_json(self) -> dict[str, Any]:
        """Return the entry as the API shows it to its tenant."""
        return {
            "entry": self.entry,
            "at": self.at.isoformat(),
            "actorKind": self.actor_kind,
            "actor": self.actor,
            "actorRole": self.actor_role,
            "action": self.action,
            "objectKind": self.object_kind,
            "objectId": self.object_id,
            "outcome": self.outcome,
            "before": self.before,
            "after": self.after,
            "sourceIp": self.source_ip,
            "requestId": self.request_id,
            "hash": self.hash,
        }


_SELECT: LiteralString = """
    SELECT tenant_id, entry, at, actor_kind, actor, actor_role, action, object_kind, object_id, outcome,
        before, after, source_ip, request_id, encode(hash, 'hex') AS hash
    FROM audit_log
"""
_FILTER: LiteralString = """
    tenant_id = current_tenant()
    AND (%(action)s::text IS NULL OR action = %(action)s)
    AND (%(actor)s::text IS NULL OR actor = %(actor)s)
    AND (%(object_kind)s::text IS NULL OR object_kind = %(object_kind)s)
    AND (%(object_id)s::text IS NULL OR object_id = %(object_id)s)
    AND (%(outcome)s::text IS NULL OR outcome = %(outcome)s)
    AND (%(since)s::timestamptz IS NULL OR at >= %(since)s)
    AND (%(until)s::timestamptz IS NULL OR at < %(until)s)
"""
PAGES = PagedSelect(_SELECT, _FILTER, ("entry",), descending=True)


def page(transaction: Transaction, only: EntryFilter, wanted: PageRequest) -> Page[RecordedEntry]:
    """Return a page of the entries of the transaction's tenant, newest first.

    Entries are committed in the order of their numbers: pages that follow each other miss none and repeat none,
    whatever is written meanwhile. Reading is itself an action: record AUDIT_READ or AUDIT_EXPORTED.

    Args:
        transaction: with its tenant set.
        only: which entries.
        wanted: of LISTING.
    """
    parameters = {
        # Look for a text in the form in which record stored it.
        **{name: storable_id(getattr(only, name)) for name in TEXT_FILTERS},
        "since": only.since,
        "until": only.until,
    }
    rows = PAGES.fetch(transaction, wanted, parameters)
    return wanted.page([RecordedEntry(*row) for row in rows], lambda entry: (entry.entry,), RecordedEntry.as_json)
