"""Sweeps: rows that the queue or their worker lost are queued again, and rows that are too old are deleted."""

from collections.abc import Callable
from typing import Any, Literal
from uuid import UUID

from causeway.jobs.due import Due, for_each_due
from causeway.jobs.invocations import Invocation, TimeBudget
from causeway.jobs.messages import RowMessage
from causeway.tenancy.context import JobContext

# queued: the row waits for a worker again. failed: it had its last attempt, and waits for a person (the dead-letter
# state). None: it is not lost, as a worker took it meanwhile.
Swept = Literal["queued", "failed"] | None


def requeue_lost(
    invocation: Invocation,
    job: str,
    due: Due,
    requeue: Callable[[JobContext, UUID], Swept],
    queue_url: str,
    counts: dict[str, int],
) -> None:
    """Queue lost rows again: rows whose message the queue lost, and rows whose worker's lease ran out.

    The row is committed first and its message sent after. A row whose message could not be sent is due again later.

    Args:
        invocation: begins no new row when its time budget is used up.
        job: the job's name in the audit log and in ours.
        due: returns the lost rows of all tenants: tenant_id and row_id.
        requeue: changes one row in a transaction of its own, where the row is still lost.
        queue_url: of the queue.
        counts: filled as the rows are worked on, so that it is right also if this raises. How many rows were queued and
            failed; refused: SQS did not take the message; left: the row could not be changed, for example because
            another transaction has locked it.

    Raises:
        Unavailable: what is lost cannot be read.
        Exception: as for_each_due.
    """
    counts |= {"queued": 0, "failed": 0, "refused": 0, "left": 0}

    def sweep(context: JobContext, row: Any) -> None:
        swept = requeue(context, row.row_id)
        if swept == "queued":
            message = RowMessage(row.tenant_id, row.row_id)
            counts["queued" if message.send(queue_url) else "refused"] += 1
        elif swept == "failed":
            counts["failed"] += 1

    for_each_due(invocation, job, due, sweep, counts, failed="left")


def delete_in_batches(budget: TimeBudget, delete_batch: Callable[[], int], counts: dict[str, int]) -> None:
    """Delete old rows batch by batch until none is left or the time budget is used up.

    Args:
        budget: asked before each batch.
        delete_batch: deletes a bounded number of rows in a transaction of its own, and returns how many.
        counts: swept: how many rows were deleted, also if this raises.
    """
    counts["swept"] = 0
    while budget.has_time():
        batch = delete_batch()
        counts["swept"] += batch
        if batch == 0:
            break
