"""Runs that the queue or their worker lost: queued again, from what stands in the database."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from aws_lambda_powertools import Logger

from causeway.audit_log import PLATFORM
from causeway.database.postgres import Database
from causeway.errors.tree import CausewayError
from causeway.syncs import runs
from causeway.syncs.queue import Message
from causeway.syncs.running import note_end
from causeway.syncs.runs import Run
from causeway.tenancy.context import JobContext

logger = Logger(child=True)

# A run that has been in the queue for so long was lost there, or waits behind others: then its second message finds it
# taken, and is done with.
_QUEUED_FOR = timedelta(minutes=5)


def sweep(database: Database, may_go_on: Callable[[], bool], request_id: str) -> dict[str, int]:
    """Queue lost runs again, and end those that were begun often enough; what is left is found by the next call.

    Args:
        database: of the hub's login.
        may_go_on: asked before each run.
        request_id: of the invocation.

    Returns:
        How many runs were queued and failed, how many the queue did not take, and with how many the database refused:
        somebody held a row, say.

    Raises:
        Unavailable: what is lost cannot be found out.
    """
    done = {"queued": 0, "failed": 0, "refused": 0, "left": 0}
    with database.transaction(PLATFORM) as transaction:
        due = transaction.execute(
            "SELECT tenant_id::text, run_id FROM sync_runs_due_v1(%s) AS d", [_QUEUED_FOR]
        ).fetchall()
    for lost in due:
        if not may_go_on():
            break
        try:
            run = _requeued(JobContext("sync-sweep", lost.tenant_id, request_id, database), lost.run_id)
        except CausewayError as error:
            # The others must not wait for it.
            done["left"] += 1
            logger.warning("A run is left", extra={"run": str(lost.run_id), "reason": error.cause})
            continue
        if run is not None and run.status == "failed":
            done["failed"] += 1
        elif run is not None:
            done["queued" if Message(UUID(lost.tenant_id), lost.run_id).put() else "refused"] += 1
    return done


def _requeued(context: JobContext, run_id: UUID) -> Run | None:
    with context.transaction() as transaction:
        run = runs.requeue(transaction, run_id, _QUEUED_FOR)
        if run is not None and run.status == "failed":
            note_end(context, transaction, run, run.status, run.reason)
    return run
