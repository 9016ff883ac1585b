"""The calls of the API log that were made for a connection: page by page, and one by its id."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, LiteralString
from uuid import UUID

from psycopg.rows import dict_row
from pydantic import Field

from causeway.connections import rows
from causeway.connections.connection import ConnectionReference
from causeway.database.paging import KeyColumn, PagedSelect
from causeway.database.postgres import Transaction
from causeway.errors.connections import CallLogNotFound
from causeway.outbound.attempts import Purpose
from causeway.tenancy.context import RequestContext
from causeway.wire import example_ids
from causeway.wire.field_readers import LARGEST_INTEGER
from causeway.wire.field_types import Id, Omittable, Text, Time
from causeway.wire.models import Answer
from causeway.wire.page_models import PageAnswer, PageQuery
from causeway.wire.pages import Page, PageRequest

# Newest first.
_SELECT: LiteralString = """
    SELECT log_id, method, url, status, milliseconds, error, request_id, actor_kind, actor, source_ip,
        credential_version, purpose, attempt, attempts, platform_request_id, run_id, event_id, created_at
    FROM integration_api_logs
"""
_OF_CONNECTION: LiteralString = "tenant_id = current_tenant() AND connection_id = %(connection)s"
_FILTER: LiteralString = f"""
    {_OF_CONNECTION}
    AND (%(purpose)s::text IS NULL OR purpose = %(purpose)s)
    AND (%(error)s::text IS NULL OR error = %(error)s)
    AND (%(request_id)s::text IS NULL OR request_id = %(request_id)s)
    AND (%(status_class)s::text IS DISTINCT FROM 'none' OR status IS NULL AND error IS NOT NULL)
    AND (%(least_status)s::bigint IS NULL OR status BETWEEN %(least_status)s AND %(most_status)s)
    AND (%(since)s::timestamptz IS NULL OR created_at >= %(since)s)
    AND (%(until)s::timestamptz IS NULL OR created_at < %(until)s)
"""
ENTRY: LiteralString = f"{_SELECT} WHERE {_OF_CONNECTION} AND log_id = %(log)s"
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
    _FILTER,
    (KeyColumn("created_at", datetime), KeyColumn("log_id", int)),
    descending=True,
    partitioned=True,
)
_LOG_ID = re.compile(r"[1-9][0-9]{0,18}")
# The names of the failures of an attempt: causeway.outbound.failures, causeway.platforms.failures,
# causeway.platforms.tokens.
_Failure = Literal[
    "AddressBlocked",
    "AddressInvalid",
    "AuthorizationMissing",
    "ConnectFailed",
    "DnsFailed",
    "DnsUnavailable",
    "Garbled",
    "OutOfTime",
    "RequestInvalid",
    "SettingMissing",
    "TimedOut",
    "TlsFailed",
    "TokenRefused",
    "TooLarge",
]


class CallLog(Answer):
    """A call, redacted: one attempt of it."""

    log_id: int = Field(alias="id", ge=1, examples=[1])
    method: str = Field(examples=["GET"])
    url: str = Field(examples=[f"https://services.leadconnectorhq.com/locations/{example_ids.LOCATION_ID}"])
    status: int | None = Field(description="Null where no answer arrived.", examples=[200])
    milliseconds: int = Field(ge=0, examples=[120])
    error: str | None = Field(description="The failure; null where an answer arrived.", examples=[None])
    request_body: str | None = Field(description="Null where the bodies are no longer stored.", examples=[""])
    response_body: str | None = Field(
        description="Null where the bodies are no longer stored.",
        examples=[f'{{"location":{{"id":"{example_ids.LOCATION_ID}"}}}}'],
    )
    purpose: Purpose = Field(description="What the call was made for.")
    attempt: int = Field(ge=1, description="The number of the attempt in its call.", examples=[1])
    attempts: int = Field(description="How many attempts the call made.", examples=[1])
    platform_request_id: str | None = Field(
        description="The platform's own id of the request, for its support; null where its answer had none.",
        examples=["8f1c2d3e-4b5a-4c6d-8e7f-9a0b1c2d3e4f"],
    )
    run_id: Id | None = Field(description="The sync that made the call; null: none.", examples=[None])
    event_id: Id | None = Field(description="The event that caused the call; null: none.", examples=[None])
    request_id: str = Field(description="Of the call to this API, or of the job.", examples=[example_ids.REQUEST_ID])
    actor_kind: Literal["person", "machine", "system"]
    actor: str = Field(description="A person's subject, a key's id, a job's name.", examples=[example_ids.SUBJECT])
    source_ip: str | None = Field(description="Null for a job.", examples=["203.0.113.7"])
    credential_version: int | None = Field(
        description="Null where the secrets were only tested and not stored.", examples=[1]
    )
    created_at: Time


class CallLogQuery(PageQuery):
    """The calls that are listed."""

    filtered_by = ("purpose", "error", "status_class", "request_id", "since", "until")

    purpose: Omittable[Purpose] = None
    error: Omittable[_Failure] = Field(
        None, description="The failure of an attempt without a usable answer.", examples=["TimedOut"]
    )
    status_class: Omittable[Literal["2xx", "3xx", "4xx", "5xx", "none"]] = Field(
        None, description="The first digit of the status; none: no answer arrived."
    )
    request_id: Omittable[Annotated[str, Text(200)]] = Field(
        None, description="Of the call to this API, or of the job.", examples=[example_ids.REQUEST_ID]
    )
    since: Omittable[Time] = Field(None, description="The first moment.")
    until: Omittable[Time] = Field(None, description="The moment after the last.")

    def filters(self) -> dict[str, Any]:
        """Return the values that select the rows, with the least and the greatest status of the class."""
        digit = "" if self.status_class in (None, "none") else self.status_class[0]
        bounds = (int(f"{digit}00"), int(f"{digit}99")) if digit else (None, None)
        return super().filters() | dict(zip(("least_status", "most_status"), bounds, strict=True))


_NO_FILTER = dict.fromkeys((*CallLogQuery.filtered_by, "least_status", "most_status"))


class CallLogPage(PageAnswer):
    """A page of calls: as many as were asked for, or as many as an answer can hold."""

    logs: list[CallLog]


def parse_log_id(path: Mapping[str, str]) -> int:
    """Read a call's id from a request's path; raises CallLogNotFound if no call can have it."""
    text = path["log_id"]
    if not _LOG_ID.fullmatch(text) or int(text) > LARGEST_INTEGER:
        raise CallLogNotFound
    return int(text)


def page(context: RequestContext, reference: ConnectionReference, query: CallLogQuery) -> CallLogPage:
    """Return a page of the calls made for a connection, newest first; a deleted connection keeps its list by its id.

    Raises:
        InvalidRequest: the cursor is not one of this list.
        ConnectionNotFound.
    """
    with context.transaction() as transaction:
        connection_id = rows.id_of(transaction, reference)
        found = select(transaction, connection_id, query.request(PAGES.listing, connection_id), query.filters())
    return CallLogPage(logs=found.items, **found.cursors)


def entry(context: RequestContext, reference: ConnectionReference, log_id: int) -> CallLog:
    """Return a call made for a connection, with its bodies; a deleted connection keeps its calls by its id.

    Raises:
        ConnectionNotFound.
        CallLogNotFound: the connection has no such call, or it is no longer stored.
    """
    with context.transaction() as transaction:
        connection_id = rows.id_of(transaction, reference)
        calls = transaction.execute(ENTRY, {"connection": connection_id, "log": log_id}).fetchall()
        if not calls:
            rows.find(transaction, connection_id, deleted=True)
            raise CallLogNotFound
        return _shown(calls[0], _bodies(transaction, calls))


def select(
    transaction: Transaction, connection_id: UUID, wanted: PageRequest, filters: Mapping[str, Any] = _NO_FILTER
) -> Page[CallLog]:
    """Return a page of a connection's calls with their bodies, in two statements; raises ConnectionNotFound.

    Args:
        transaction: of the connection's tenant.
        connection_id: the connection.
        wanted: the page.
        filters: of a CallLogQuery.
    """
    calls = PAGES.fetch(transaction, wanted, {"connection": connection_id, **filters})
    bodies = _bodies(transaction, calls) if calls else {}
    if not calls:
        rows.find(transaction, connection_id, deleted=True)
    return PAGES.page_of(calls, wanted, lambda call: _shown(call, bodies))


def _shown(call: Any, bodies: Mapping[int, dict[str, Any]]) -> CallLog:
    return CallLog(**call._asdict(), **bodies.get(call.log_id, _NO_BODIES))


def _bodies(transaction: Transaction, calls: Sequence[Any]) -> dict[int, dict[str, Any]]:
    """Return the stored bodies of calls, by the number of the call."""
    keys = {"times": [call.created_at for call in calls], "calls": [call.log_id for call in calls]}
    with transaction.cursor(row_factory=dict_row) as cursor:
        return {row.pop("log_id"): row for row in cursor.execute(BODIES, keys)}
