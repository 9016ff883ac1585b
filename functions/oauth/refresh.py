"""Called by a schedule: gets new access tokens where the access would lapse, and warns of access that ends."""

from functools import partial
from typing import Any

from aws_lambda_powertools import Logger

from causeway.connections import token_renewal
from causeway.jobs import invocations, schedules
from causeway.jobs.invocations import Invocation

logger = Logger()

# Milliseconds for finishing what was begun: a connection takes at most six transactions, two calls of KMS, and the time
# of a token.
RESERVE = 60_000


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Work until nothing is due or the time budget is used up; the next call goes on. Returns the counts."""
    with invocations.of_schedule(context, RESERVE) as invocation:
        return schedules.run_parts(tokens=partial(_tokens, invocation))


def _tokens(invocation: Invocation) -> dict[str, int]:
    with schedules.reported("Tokens") as counts:
        token_renewal.run(invocation, counts)
    return counts
