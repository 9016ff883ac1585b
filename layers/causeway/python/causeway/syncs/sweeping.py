"""Runs that the queue or their worker lost: queued again, from what stands in the database."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from causeway.audit_log import PLATFORM
from causeway.database import Database
from causeway.syncs import runs
from causeway.syncs.queue import Message
from causeway.syncs.running import note_end

# A run that has been in the queue for so long was lost there, or waits behind others: then its second message finds it
# taken, and is done with.
_QUEUED_FOR = timedelta(minutes=5)


def sweep(database: Database, may_go_on: Callable[[], bool]) -> dict[str, int]:
    """Queue lost runs again, and end those that were begun often enough; what is left is found by the next call.

    Args:
        database: of the hub's login.
        may_go_on: asked before each run.

    Returns:
        How many runs were queued and failed, and how many the queue did not take.

    Raises:
        Unavailable: the database cannot be used.
    """
    done = {"queued": 0, "failed": 0, "refused": 0}
    with database.transaction(PLATFORM) as transaction:
        due = transaction.execute(
            "SELECT tenant_id::text, run_id FROM sync_runs_due_v1(%s) AS d", [_QUEUED_FOR]
        ).fetchall()
    for lost in due:
        if not may_go_on():
            break
        with database.transaction(lost.tenant_id) as transaction:
            run = runs.requeue(transaction, lost.run_id, _QUEUED_FOR)
            if run is not None and run.status == "failed":
                note_end(transaction, "sync-sweep", run, run.status, run.reason)
        if run is not None and run.status == "failed":
            done["failed"] += 1
        elif run is not None:
            done["queued" if Message(UUID(lost.tenant_id), lost.run_id).put() else "refused"] += 1
    return done
