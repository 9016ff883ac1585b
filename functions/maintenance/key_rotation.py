"""Called by a schedule: ends the overlap of replaced credentials, rotates old data keys, and re-wraps secrets."""

from functools import partial
from typing import Any

from aws_lambda_powertools import Logger

from causeway.jobs import invocations, schedules
from causeway.jobs.invocations import Invocation
from causeway.vault import data_keys, deployment_key, deployment_rotation, key_rotation, retention

logger = Logger()

# Milliseconds for finishing what was begun: a batch takes at most four transactions and two calls of KMS, and each of
# them may use up its own time limit.
RESERVE = 30_000


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Work until nothing is due or the time budget is used up; the next call goes on. Returns the counts."""
    with invocations.of_schedule(context, RESERVE) as invocation:
        # Credentials first: they need no KMS.
        return schedules.run_parts(
            credentials=partial(_credentials, invocation),
            data_keys=partial(_data_keys, invocation),
            deployment_key=partial(_deployment_key, invocation),
        )


def _credentials(invocation: Invocation) -> dict[str, int]:
    with schedules.reported("Credentials") as counts:
        retention.run(invocation, counts)
    return counts


def _data_keys(invocation: Invocation) -> dict[str, int]:
    with schedules.reported("DataKeys") as counts:
        key_rotation.run(invocation, data_keys.current(), counts)
    return counts


def _deployment_key(invocation: Invocation) -> dict[str, int]:
    with schedules.reported("DeploymentKey") as counts:
        deployment_rotation.run(invocation, deployment_key.current(), counts)
    return counts
