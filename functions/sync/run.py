"""Called with messages of the queue of syncs: works on each run once."""

from typing import Any

from aws_lambda_powertools import Logger

from causeway.jobs import batches
from causeway.jobs.invocations import Invocation
from causeway.jobs.messages import RowMessage
from causeway.syncs import running

logger = Logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Work on a batch of messages. Returns which of them SQS must deliver again."""
    return batches.work_on(event, context, _work)


def _work(invocation: Invocation, message: RowMessage) -> str | None:
    # A message that failed comes again after minutes, when the database may have paused again.
    invocation.wait_for_database()
    result = running.run(invocation, message)
    return None if result is None else result.status
