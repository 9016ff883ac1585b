"""The calls made to connections' providers: kept, and shown page by page."""

from typing import Any
from uuid import UUID

from causeway import pages
from causeway.connections.rows import Connection, Transaction
from causeway.fields import MOST_ROWS, known_fields, limit_field, number_field
from causeway.outbound import Attempt


def keep(transaction: Transaction, connection_id: UUID, attempt: Attempt, request_id: str) -> None:
    """Keep the record of a call to a connection's provider."""
    transaction.execute(
        """
        INSERT INTO integration_api_logs (
            tenant_id, connection_id, method, url, status, milliseconds, error, request_body, response_body, request_id
        ) VALUES (current_tenant(), %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        [
            connection_id,
            attempt.method,
            attempt.url,
            attempt.status,
            attempt.milliseconds,
            attempt.error,
            _without_nul(attempt.request_body),
            _without_nul(attempt.response_body),
            request_id,
        ],
    )


def _without_nul(text: str) -> str:
    return text.replace("\0", "\ufffd").encode(errors="replace").decode()


def page(
    transaction: Transaction, connection: Connection, query: dict[str, str]
) -> tuple[list[dict[str, Any]], str | None]:
    """Return a page of the calls made for a connection, newest first, and the next page's cursor, None at the end.

    It has as many as were asked for, or as many as an answer holds.
    """
    known_fields(query, {"limit", "cursor"})
    limit, cursor = limit_field(query, MOST_ROWS), number_field(query, "cursor")
    rows = transaction.execute(
        """
        SELECT log_id, method, url, status, milliseconds, error, request_body, response_body, request_id, created_at
        FROM integration_api_logs
        WHERE tenant_id = current_tenant() AND connection_id = %s AND (%s::bigint IS NULL OR log_id < %s)
        ORDER BY log_id DESC LIMIT %s + 1
        """,
        [connection.connection_id, cursor, cursor, limit],
    ).fetchall()
    shown = pages.within_an_answer([_shown(row) for row in rows[:limit]])
    return shown, str(shown[-1]["id"]) if len(rows) > len(shown) else None


def _shown(row: Any) -> dict[str, Any]:
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
        "createdAt": row.created_at.isoformat(),
    }
