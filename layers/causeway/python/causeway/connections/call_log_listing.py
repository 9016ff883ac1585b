"""The calls of the API log that were made for a connection, shown page by page."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, LiteralString
from uuid import UUID

from psycopg.rows import dict_row
from pydantic import Field

from causeway.connections import rows
from causeway.connections.connection import ConnectionReference
from causeway.database.paging import KeyColumn, PagedSelect
from causeway.database.postgres import Transaction
from causeway.tenancy.context import RequestContext
from causeway.wire import example_ids
from causeway.wire.field_types import Time
from causeway.wire.models import Answer
from causeway.wire.page_models import PageAnswer, PageQuery
from causeway.wire.pages import Page, PageRequest

# Newest first.
_SELECT: LiteralString = """
    SELECT log_id, method, url, status, milliseconds, error, request_id, actor_kind, actor, source_ip,
        credential_version, created_at
    FROM integration_api_logs
"""
_OF_CONNECTION: LiteralString = "tenant_id = current_tenant() AND connection_id = %(connection)s"
# The times are parameters, so Postgres plans only the partitions of these days. A join would plan all of them, about
# 0.1 ms for each.
BODIES: LiteralString = """
    SELECT log_id, request_body, response_body FROM integration_api_log_bodies
    WHERE tenant_id = current_tenant() AND created_at = ANY(%(times)s) AND log_id = ANY(%(calls)s)
"""
_NO_BODIES = dict.fromkeys(("request_body", "response_body"))
PAGES = PagedSelect(
    "calls",
    _SELECT,
    _OF_CONNECTION,
    (KeyColumn("created_at", datetime), KeyColumn("log_id", int)),
    descending=True,
    partitioned=True,
)


class CallLog(Answer):
    """A call, redacted: one attempt of it."""

    log_id: int = Field(alias="id", ge=1, examples=[1])
    method: str = Field(examples=["GET"])
    url: str = Field(examples=[f"https://services.leadconnectorhq.com/locations/{example_ids.LOCATION_ID}"])
    status: int | None = Field(description="Null where no answer arrived.", examples=[200])
    milliseconds: int = Field(ge=0, examples=[120])
    error: str | None = Field(description="The kind of failure.", examples=[None])
    request_body: str | None = Field(description="Null where the bodies are no longer stored.", examples=[""])
    response_body: str | None = Field(
        description="Null where the bodies are no longer stored.",
        examples=[f'{{"location":{{"id":"{example_ids.LOCATION_ID}"}}}}'],
    )
    request_id: str = Field(description="Of the call to this API, or of the job.", examples=["c6af9ac6-7b61-11e6-9a41"])
    actor_kind: Literal["person", "machine", "system"]
    actor: str = Field(description="A person's subject, a key's id, a job's name.", examples=[example_ids.SUBJECT])
    source_ip: str | None = Field(description="Null for a job.", examples=["203.0.113.7"])
    credential_version: int | None = Field(
        description="Null where the secrets were only tested and not stored.", examples=[1]
    )
    created_at: Time


class CallLogQuery(PageQuery):
    """The calls that are listed."""


class CallLogPage(PageAnswer):
    """A page of calls: as many as were asked for, or as many as an answer can hold."""

    logs: list[CallLog]


def page(context: RequestContext, reference: ConnectionReference, query: CallLogQuery) -> CallLogPage:
    """Return a page of the calls made for a connection, newest first; a deleted connection keeps its list by its id.

    Raises:
        InvalidRequest: the cursor is not one of this list.
        ConnectionNotFound.
    """
    with context.transaction() as transaction:
        connection_id = rows.id_of(transaction, reference)
        found = select(transaction, connection_id, query.request(PAGES.listing, connection_id))
    return CallLogPage(logs=found.items, **found.cursors)


def select(transaction: Transaction, connection_id: UUID, wanted: PageRequest) -> Page[CallLog]:
    """Return a page of a connection's calls with their bodies, in two statements; raises ConnectionNotFound."""
    calls = PAGES.fetch(transaction, wanted, {"connection": connection_id})
    bodies = _bodies(transaction, calls) if calls else {}
    if not calls:
        rows.find(transaction, connection_id, deleted=True)
    return PAGES.page_of(calls, wanted, lambda call: CallLog(**call._asdict(), **bodies.get(call.log_id, _NO_BODIES)))


def _bodies(transaction: Transaction, calls: Sequence[Any]) -> dict[int, dict[str, Any]]:
    """Return the stored bodies of calls, by the number of the call."""
    keys = {"times": [call.created_at for call in calls], "calls": [call.log_id for call in calls]}
    with transaction.cursor(row_factory=dict_row) as cursor:
        return {row.pop("log_id"): row for row in cursor.execute(BODIES, keys)}
