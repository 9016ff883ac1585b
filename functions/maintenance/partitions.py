"""Called by a schedule: makes the partitions of the time ahead."""

from functools import partial
from typing import Any

from aws_lambda_powertools import Logger

from causeway.database import partitions
from causeway.jobs import invocations, schedules
from causeway.jobs.invocations import Invocation

logger = Logger()

# Milliseconds for the step that was begun.
RESERVE = 65_000


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Make the partitions that are missing, and replace default ones that have rows. Returns the counts."""
    with invocations.of_schedule(context, RESERVE) as invocation:
        return schedules.run_parts(partitions=partial(_partitions, invocation))


def _partitions(invocation: Invocation) -> dict[str, int]:
    with schedules.reported("Partitions") as counts:
        partitions.make(invocation.database, invocation.budget.has_time, counts)
    return counts
