"""Called by a schedule: deletes old versions of the functions with SnapStart, and so their snapshots."""

from functools import partial
from typing import Any

from aws_lambda_powertools import Logger

from causeway import settings
from causeway.aws import function_versions
from causeway.jobs import invocations, schedules
from causeway.jobs.invocations import Invocation

logger = Logger()

# Milliseconds for finishing what was begun: the calls that delete one version.
RESERVE = 25_000


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Delete until nothing old is left or the time budget is used up; the next call goes on. Returns the count."""
    with invocations.of_schedule(context, RESERVE, uses_database=False) as invocation:
        parts = {name: partial(_versions, invocation, name) for name in settings.snapshot_functions()}
        return schedules.run_parts(**parts)


def _versions(invocation: Invocation, function: str) -> dict[str, int]:
    deleted = 0
    while invocation.budget.has_time() and function_versions.delete_one(function):
        deleted += 1
    logger.info("Versions", extra={"function": function, "deleted": deleted})
    return {"deleted": deleted}
