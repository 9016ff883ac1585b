"""Called with what the queue of syncs delivers: works on each run, once."""

from datetime import timedelta
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from causeway.database import postgres
from causeway.syncs import running
from causeway.syncs.queue import Message

logger = Logger()
# Where all of a batch failed it raises: Lambda counts an error, the alarm rings, and a new version is taken back.
processor = BatchProcessor(event_type=EventType.SQS)

# What the clocks of Lambda and of the database may differ by.
_MARGIN = timedelta(seconds=10)


def work(record: SQSRecord, lambda_context: Any) -> None:
    """Work on the run of one message."""
    lease = timedelta(milliseconds=lambda_context.get_remaining_time_in_millis()) + _MARGIN
    try:
        ended = running.run(postgres.current(), Message.parse(record.body), lease, lambda_context.aws_request_id)
    except Exception:
        logger.exception("A message failed", extra={"message_id": record.message_id})
        raise
    if ended is not None:
        logger.info("A run ended", extra={"message_id": record.message_id, "status": ended.status})


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Work on a batch of messages. Returns which of them are to be delivered again."""
    return dict(process_partial_response(event=event, record_handler=work, processor=processor, context=context))
