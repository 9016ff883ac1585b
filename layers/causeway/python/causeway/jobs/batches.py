"""A batch of SQS messages: each message is worked on alone, and SQS delivers only the failed ones again."""

from collections.abc import Callable
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from causeway.aws.counts import published
from causeway.jobs.invocations import Invocation
from causeway.jobs.messages import RowMessage

logger = Logger(child=True)
# Milliseconds, as published has them: work that left less than half of them was nearly cut off.
_RESERVE = 20_000


def work_on(
    event: dict[str, Any], context: Any, work: Callable[[Invocation, RowMessage], str | None]
) -> dict[str, Any]:
    """Work on every message of a batch and return Lambda's partial batch response.

    SQS delivers a message at least once: work must find out from the row whether there is anything to do.

    Args:
        event: Lambda's event of an SQS queue.
        context: Lambda's context object.
        work: is given one message. It returns the status that its row has now, or None if it was not to be worked
            on. When it raises, its message fails: SQS delivers it again, and after maxReceiveCount times moves it to
            the dead-letter queue.

    Raises:
        BatchProcessingError: every message failed. Lambda counts an error, so that the function's alarm rings and the
            deployment of a new version is rolled back.
    """
    invocation = Invocation.of(context)

    def handle(record: SQSRecord) -> None:
        ids = {"message_id": record.message_id}
        try:
            message = RowMessage.parse(record.body)
            ids |= message.ids
            status = work(invocation, message)
        except Exception:
            logger.exception("A message failed", extra=ids)
            raise
        if status is not None:
            logger.info("A message was worked on", extra={**ids, "status": status})

    processor = BatchProcessor(event_type=EventType.SQS)
    with published(context, reserve=_RESERVE):
        return dict(process_partial_response(event=event, record_handler=handle, processor=processor, context=context))
