"""The sweep of runs that the queue or their worker lost."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from causeway import settings
from causeway.database.postgres import Transaction
from causeway.jobs import sweeping
from causeway.jobs.invocations import Invocation
from causeway.jobs.sweeping import Swept
from causeway.syncs import runs
from causeway.syncs.running import audit_finish
from causeway.tenancy.context import JobContext

# A run that has been queued for so long is sent again: its message was lost, or waits behind others. In the second case
# the later message finds the run leased or finished, and does nothing.
QUEUED_FOR = timedelta(minutes=5)


def sweep(invocation: Invocation, counts: dict[str, int]) -> None:
    """Queue lost runs again, and fail those that had their last attempt.

    Args:
        invocation: of the hub's login.
        counts: filled as jobs.sweeping.requeue_lost does.

    Raises:
        Unavailable: what is lost cannot be read.
        Misconfigured: the setting of the queue is missing; no run was changed.
        Exception: as jobs.due.for_each_due.
    """
    sweeping.requeue_lost(invocation, "sync-sweep", _lost, _requeue, settings.sync_queue_url(), counts)


def _lost(transaction: Transaction) -> list[Any]:
    return runs.lost(transaction, QUEUED_FOR)


def _requeue(context: JobContext, run_id: UUID) -> Swept:
    with context.transaction() as transaction:
        run = runs.requeue(transaction, run_id, QUEUED_FOR)
        if run is None:
            return None
        if run.status != "failed":
            return "queued"
        audit_finish(context, transaction, run, run.status, run.reason)
    return "failed"
