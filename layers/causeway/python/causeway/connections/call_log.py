"""The API log: the calls made with connections, written and shown page by page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, LiteralString
from uuid import UUID

from causeway.connections.connection import Connection
from causeway.database.paging import PagedSelect
from causeway.database.postgres import Transaction
from causeway.database.storable import storable_text
from causeway.outbound.client import Attempt
from causeway.wire.pages import Listing, Page

# Newest first.
LISTING = Listing("calls", (int,))
_SELECT: LiteralString = """
    SELECT log_id, method, url, status, milliseconds, error, request_body, response_body, request_id, actor_kind,
        actor, source_ip, credential_version, created_at
    FROM integration_api_logs
"""
_OF_CONNECTION: LiteralString = "tenant_id = current_tenant() AND connection_id = %(connection)s"
PAGES = PagedSelect(_SELECT, _OF_CONNECTION, ("log_id",), descending=True)


@dataclass(frozen=True, slots=True)
class Use:
    """The use of a connection: the actor, the address and the version of the credential.

    Attributes:
        actor: a person's subject, a key's id, a job's name.
        source_ip: None for a job.
        credential_version: None for a candidate in a test, which is not stored.
    """

    request_id: str
    actor_kind: str
    actor: str
    source_ip: str | None
    credential_version: int | None


def save(transaction: Transaction, connection_id: UUID, attempts: Sequence[Attempt], use: Use) -> None:
    """Write the records of calls made with a connection, in one statement."""
    columns = [
        [
            attempt.method,
            storable_text(attempt.url),
            attempt.status,
            attempt.milliseconds,
            attempt.error,
            storable_text(attempt.request_body),
            storable_text(attempt.response_body),
        ]
        for attempt in attempts
    ]
    transaction.execute(
        """
        INSERT INTO integration_api_logs (
            tenant_id, connection_id, method, url, status, milliseconds, error, request_body, response_body,
            request_id, actor_kind, actor, source_ip, credential_version
        )
        SELECT current_tenant(), %s, a.method, a.url, a.status, a.milliseconds, a.error, a.request_body,
            a.response_body, %s, %s, %s, %s, %s
        FROM unnest(
            %s::text[], %s::text[], %s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::text[]
        ) WITH ORDINALITY AS a (method, url, status, milliseconds, error, request_body, response_body, place)
        ORDER BY a.place
        """,
        [
            connection_id,
            use.request_id,
            use.actor_kind,
            use.actor,
            use.source_ip,
            use.credential_version,
            *(list(column) for column in zip(*columns, strict=True)),
        ],
    )


def page(transaction: Transaction, connection: Connection, query: dict[str, str]) -> Page[Any]:
    """Return a page of the calls made for a connection, newest first; raises InvalidRequest.

    It has as many calls as were asked for, or as many as an answer can hold.
    """
    wanted = LISTING.request(query, connection.connection_id)
    rows = PAGES.fetch(transaction, wanted, {"connection": connection.connection_id})
    return wanted.page(rows, lambda row: (row.log_id,), as_json)


def as_json(row: Any) -> dict[str, Any]:
    """Return a call as callers see it."""
    return {
        "id": row.log_id,
        "method": row.method,
        "url": row.url,
        "status": row.status,
        "milliseconds": row.milliseconds,
        "error": row.error,
        "requestBody": row.request_body,
        "responseBody": row.response_body,
        "requestId": row.request_id,
        "actorKind": row.actor_kind,
        "actor": row.actor,
        "sourceIp": row.source_ip,
        "credentialVersion": row.credential_version,
        "createdAt": row.created_at.isoformat(),
    }
