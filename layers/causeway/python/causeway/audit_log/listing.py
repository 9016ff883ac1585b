"""Entries of the audit log as they were written, read in pages."""

from typing import Annotated, Literal, LiteralString
from uuid import UUID

from pydantic import Field, WithJsonSchema

from causeway.audit_log.entries import Action, storable_id
from causeway.audit_log.requests import AuditQuery
from causeway.database.paging import KeyColumn, PagedSelect
from causeway.database.postgres import Transaction
from causeway.wire import example_ids
from causeway.wire.field_types import JsonObject, Time
from causeway.wire.models import Answer
from causeway.wire.page_models import PageAnswer
from causeway.wire.pages import PageRequest

# An entry is shown even if its action is no longer in the list.
_Action = Annotated[
    str, WithJsonSchema({"type": "string", "enum": sorted(Action), "examples": [Action.CONNECTION_CHANGED]})
]
_STATE = "{} of the change; secrets are fingerprints. null: {}."


class AuditEntry(Answer):
    """An entry as it was written."""

    # Only a column of the CSV: in JSON all entries are the caller's tenant's.
    tenant_id: UUID = Field(exclude=True)
    entry: int = Field(ge=1, description="The entry's number in the tenant's chain.", examples=[1])
    at: Time
    actor_kind: Literal["person", "machine", "system"] = Field(examples=["person"])
    actor: str | None = Field(
        description="A person's subject, the id of a machine's key, or a job's name.",
        examples=[example_ids.SUBJECT],
    )
    actor_role: str | None = Field(examples=["tenant_admin"])
    action: _Action
    object_kind: str = Field(examples=["connection"])
    object_id: str | None = Field(examples=[example_ids.OBJECT_ID])
    outcome: Literal["done", "refused", "failed"] = Field(examples=["done"])
    before: JsonObject | None = Field(
        description=_STATE.format("The object's fields before", "there were none"), examples=[{"version": 1}]
    )
    after: JsonObject | None = Field(
        description=_STATE.format("The object's fields after", "there are none"), examples=[{"version": 2}]
    )
    source_ip: str | None = Field(examples=["203.0.113.7"])
    request_id: str | None = Field(examples=["JKJaXmPLvHcESHA="])
    hash: str = Field(description="SHA-256 in hexadecimal.", examples=["9f86d081884c7d65" * 4])


class AuditPage(PageAnswer):
    """A page of entries."""

    entries: list[AuditEntry]


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
# Newest first.
PAGES = PagedSelect("audit_log", _SELECT, _FILTER, (KeyColumn("entry", int),), descending=True)


def page(transaction: Transaction, only: AuditQuery, wanted: PageRequest) -> AuditPage:
    """Return a page of the entries of the transaction's tenant, newest first.

    Entries are committed in the order of their numbers: pages that follow each other miss none and repeat none,
    whatever is written meanwhile. Reading is itself an action: record AUDIT_READ or AUDIT_EXPORTED.

    Args:
        transaction: with its tenant set.
        only: which entries.
        wanted: of PAGES.listing.
    """
    # Look for a text in the form in which record stored it.
    filters = {name: storable_id(value) if isinstance(value, str) else value for name, value in only.filters().items()}
    found = PAGES.page(transaction, wanted, AuditEntry.of_row, filters)
    return AuditPage(entries=found.items, **found.cursors)
