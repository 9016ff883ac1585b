"""A sync that a caller requests: its run is committed first and queued after."""

from causeway import settings
from causeway.audit_log.entries import Action
from causeway.connections import audit_entries, rows
from causeway.connections.connection import ConnectionReference
from causeway.jobs.messages import RowMessage
from causeway.syncs import runs
from causeway.syncs.runs import Run
from causeway.tenancy.context import RequestContext
from causeway.wire.preconditions import Expected


def start(context: RequestContext, reference: ConnectionReference, expected: Expected) -> tuple[Run, bool]:
    """Request a sync of an active connection.

    Where SQS does not take the message, the sweeper queues the run later.

    Args:
        context: of the caller.
        reference: the connection.
        expected: the versions of the connection that the caller accepts (If-Match).

    Returns:
        The run, and whether it is new: where the connection has a queued or running run, that run is returned.

    Raises:
        ConnectionNotFound, VersionMismatch.
        IntegrationNotActive, TemplateMoved, CredentialUnreadable, CredentialMissing: the connection cannot be used.
    """
    with context.transaction() as transaction:
        connection = rows.find(transaction, reference)
        expected.check(connection.version)
        connection.check_usable()
        run, made = runs.request(transaction, connection.connection_id, context.new_id(), context.caller.subject)
        if made:
            audit_entries.record(
                context, transaction, Action.SYNC_REQUESTED, connection, after={"runId": str(run.run_id)}
            )
        context.finish(transaction, (run, made))
    if made:
        RowMessage(context.tenant, run.run_id).send(settings.sync_queue_url())
    return run, made
