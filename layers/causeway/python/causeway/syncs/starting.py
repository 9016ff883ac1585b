"""A sync that somebody asks for: committed first, queued after."""

from uuid import UUID

from causeway.audit_log import Action
from causeway.connections import audit, rows
from causeway.syncs import runs
from causeway.syncs.queue import Message
from causeway.syncs.runs import Run
from causeway.tenancy.context import RequestContext
from causeway.wire.preconditions import Expected


def start(context: RequestContext, connection_id: UUID, expected: Expected) -> tuple[Run, bool]:
    """Have a sync of an active connection queued; returns the run, and whether it was made just now.

    Where one is queued or running, it is that one. Where the queue does not answer, the run is queued later.

    Args:
        context: who asks for it.
        connection_id: the connection.
        expected: the versions of the connection that its reader saw.

    Raises:
        ConnectionNotFound, VersionMismatch.
        IntegrationNotActive, TemplateMoved, CredentialUnreadable, CredentialMissing: it may not be used.
    """
    with context.transaction() as transaction:
        connection = rows.find(transaction, connection_id)
        expected.demand(connection.version)
        rows.demand_active(connection)
        run, made = runs.begin(transaction, connection.connection_id, context.new_id(), context.caller.subject)
        if made:
            audit.note(context, transaction, Action.SYNC_REQUESTED, connection, after={"runId": run.run_id})
        context.done(transaction, (run, made))
    if made:
        Message(UUID(context.tenant), UUID(run.run_id)).put()
    return run, made
