"""How a connection was at its last test."""

from typing import Any
from uuid import UUID

from causeway.connections.rows import Connection, Transaction
from causeway.outbound.verdicts import Verdict


def note(transaction: Transaction, connection_id: UUID, verdict: Verdict, response_ms: int) -> None:
    """Healthy, degraded where the platform asks to wait or errs itself, or down."""
    status = "healthy" if verdict.success else "down"
    if verdict.code in ("RATE_LIMITED", "PROVIDER_ERROR"):
        status = "degraded"
    transaction.execute(
        """
        INSERT INTO integration_health (tenant_id, connection_id, status, code, message, next_action, response_ms)
        VALUES (current_tenant(), %s, %s, %s, %s, %s, %s)
        ON CONFLICT (tenant_id, connection_id) DO UPDATE
        SET status = excluded.status, code = excluded.code, message = excluded.message,
            next_action = excluded.next_action, response_ms = excluded.response_ms, checked_at = excluded.checked_at
        """,
        [connection_id, status, verdict.code, verdict.message, verdict.next_action, response_ms],
    )


def shown(transaction: Transaction, connection: Connection) -> dict[str, Any]:
    """Return how a connection was at its last test, in the API's names."""
    row = transaction.execute(
        """
        SELECT status, code, message, next_action, response_ms, checked_at FROM integration_health
        WHERE tenant_id = current_tenant() AND connection_id = %s
        """,
        [connection.connection_id],
    ).fetchone()
    return {
        "id": connection.connection_id,
        "name": connection.name,
        "type": connection.provider_key,
        "status": connection.status,
        "isActive": connection.is_active,
        "lastSync": None if connection.last_sync_at is None else connection.last_sync_at.isoformat(),
        "errorMessage": connection.error_message,
        "checks": {
            "connection": None
            if row is None
            else {
                "status": row.status,
                "code": row.code,
                "message": row.message,
                "nextAction": row.next_action,
                "responseMs": row.response_ms,
                "checkedAt": row.checked_at.isoformat(),
            }
        },
    }
