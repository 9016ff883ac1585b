"""Syncs that were asked for, and what became of them."""

from uuid import UUID

from causeway.audit_log import Action
from causeway.connections import audit, rows
from causeway.context import RequestContext
from causeway.errors import ConnectionNotFound

# What a sync is answered until the engines are there.
_NO_ENGINE = "This provider's data cannot be synced yet"


def request(context: RequestContext, identity: UUID) -> tuple[str, str]:
    """Record a sync of an active connection; returns the run's id and why it ended.

    Raises:
        ConnectionNotFound.
        IntegrationNotActive: it is not to be used.
    """
    with context.transaction() as transaction:
        one = rows.find(transaction, identity)
        rows.demand_active(one)
        run_id = _start(transaction, one, context.caller.subject, _NO_ENGINE)
        audit.note(context, transaction, Action.SYNC_REQUESTED, one, outcome="failed")
    return str(run_id), _NO_ENGINE


def _start(transaction: rows.Transaction, connection: rows.Connection, subject: str, reason: str) -> UUID:
    """Record a sync that was asked for and cannot run, with the reason; returns the run's id."""
    row = transaction.execute(
        """
        INSERT INTO sync_runs (tenant_id, connection_id, status, reason, requested_by, ended_at)
        VALUES (current_tenant(), %s, 'failed', %s, %s, now()) RETURNING run_id
        """,
        [connection.connection_id, reason, subject],
    ).fetchone()
    if row is None:
        raise ConnectionNotFound
    return row.run_id
