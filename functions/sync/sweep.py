"""Called by a schedule: queues lost syncs again, deletes old Idempotency-Keys, events and used limits."""

from functools import partial
from typing import Any

from aws_lambda_powertools import Logger

from causeway.database import idempotency
from causeway.events import retention
from causeway.jobs import invocations, schedules
from causeway.jobs.invocations import Invocation
from causeway.jobs.sweeping import delete_in_batches
from causeway.rate_limits import retention as limits_retention
from causeway.syncs import sweeping

logger = Logger()

# Milliseconds for finishing what was begun.
RESERVE = 10_000


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Work until nothing is left or the time budget is used up; the next call goes on. Returns the counts."""
    with invocations.of_schedule(context, RESERVE) as invocation:
        counts = schedules.run_parts(
            syncs=partial(_syncs, invocation),
            keys=partial(_keys, invocation),
            events=partial(_events, invocation),
            limits=partial(_limits, invocation),
        )
    logger.info("Swept", extra=counts)
    return counts


def _syncs(invocation: Invocation) -> dict[str, int]:
    with schedules.reported("SyncsSwept") as counts:
        sweeping.sweep(invocation, counts)
    return counts


def _keys(invocation: Invocation) -> dict[str, int]:
    with schedules.reported("IdempotencyKeys") as counts:
        delete_in_batches(invocation.budget, partial(idempotency.sweep_batch, invocation.database), counts)
    return {"keys": counts["swept"]}


def _events(invocation: Invocation) -> dict[str, int]:
    with schedules.reported("Events") as counts:
        delete_in_batches(invocation.budget, partial(retention.sweep_batch, invocation.database), counts)
    return {"events": counts["swept"]}


def _limits(invocation: Invocation) -> dict[str, int]:
    with schedules.reported("RateLimits") as counts:
        delete_in_batches(invocation.budget, partial(limits_retention.sweep_batch, invocation.database), counts)
    return {"limits": counts["swept"]}
