"""The template's queues, and the event source mappings that pass their messages to the functions.

Sources: AWS Lambda developer guide, "Using Lambda with Amazon SQS" (with-sqs) and "Handling errors for an SQS
event source" (services-sqs-errorhandling).
"""

import asyncio
import http.client
import json
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from typing import Any

from local.account import REGION
from local.errors import FunctionError, StartError, Throttled
from local.services.moto import Moto
from local.template.names import queue_url
from local.template.resources import Function, Queue, QueueSource

# Seconds between two polls of an empty queue.
_PAUSE = 0.25

_logger = logging.getLogger(__name__)

Call = Callable[[str, str, Mapping[str, object]], tuple[int, dict[str, Any]]]


def make(moto: Moto, queues: Iterable[Queue]) -> None:
    """Make the queues; raises StartError if one is refused."""
    for queue in queues:
        wanted = {"QueueName": queue.name, "Attributes": dict(queue.attributes)}
        status, answer = moto.call("sqs", "AmazonSQS.CreateQueue", wanted)
        if status != http.client.OK:
            raise StartError(f"the queue {queue.name} could not be made: {answer}")


class EventSourceMappings:
    """Receives messages from queues, invokes functions with them, and deletes the messages that succeeded.

    A message that failed stays in its queue and becomes visible again after the queue's VisibilityTimeout. Unlike
    Lambda it does not slow down when batches fail, and polls an empty queue four times a second. Use it only in the
    event loop.

    Args:
        functions: as the template declares them.
        invoke: runs a function by its short name; raises FunctionError and Throttled.
        call: calls SQS, as Moto.call.
    """

    def __init__(
        self, functions: Iterable[Function], invoke: Callable[[str, bytes], Awaitable[bytes]], call: Call
    ) -> None:
        self._invoke = invoke
        self._call = call
        self._pollers = [
            asyncio.create_task(self._poll(function.name, source))
            for function in functions
            for source in function.queues
        ]

    async def close(self) -> None:
        """Stop receiving; batches that are being processed are cancelled and stay in their queues."""
        for poller in self._pollers:
            poller.cancel()
        await asyncio.gather(*self._pollers, return_exceptions=True)

    async def _poll(self, function: str, source: QueueSource) -> None:
        free = asyncio.Semaphore(source.concurrency)
        async with asyncio.TaskGroup() as batches:
            while True:
                await free.acquire()
                messages = await self._received(source)
                if messages:
                    batch = batches.create_task(self._deliver(function, source, messages))
                    batch.add_done_callback(lambda _: free.release())
                else:
                    free.release()
                    await asyncio.sleep(_PAUSE)

    async def _received(self, source: QueueSource) -> list[dict[str, Any]]:
        wanted = {"MaxNumberOfMessages": source.batch_size, "AttributeNames": ["All"], "MessageAttributeNames": ["All"]}
        return (await self._sqs("ReceiveMessage", source, wanted)).get("Messages", [])

    async def _deliver(self, function: str, source: QueueSource, messages: list[dict[str, Any]]) -> None:
        ids = {message["MessageId"] for message in messages}
        try:
            event = {"Records": [_record(message, source) for message in messages]}
            result = json.loads(await self._invoke(function, json.dumps(event).encode()))
            failed = failures(result, ids) if source.reports_failures else set()
        # ValueError: the function's result is not JSON.
        except (FunctionError, Throttled, ValueError):
            failed = ids
        except Exception:
            # A fault of the stack itself must not end the poller: it would deliver no message any more.
            _logger.exception("A batch for %s could not be delivered", function)
            failed = ids
        for message in messages:
            if message["MessageId"] not in failed:
                await self._sqs("DeleteMessage", source, {"ReceiptHandle": message["ReceiptHandle"]})

    async def _sqs(self, operation: str, source: QueueSource, parameters: Mapping[str, object]) -> dict[str, Any]:
        """The answer of SQS; empty if it does not answer, because moto may end before this poller."""
        parameters = {"QueueUrl": queue_url(source.arn.rpartition(":")[2]), **parameters}
        try:
            _, answer = await asyncio.to_thread(self._call, "sqs", f"AmazonSQS.{operation}", parameters)
        except (OSError, http.client.HTTPException, ValueError):
            return {}
        except Exception:
            # As in _deliver: no fault ends the poller.
            _logger.exception("%s of %s failed", operation, source.arn)
            return {}
        return answer


def failures(result: Any, ids: Collection[str]) -> Collection[str]:
    """Return the ids of the messages of a batch that failed, by the result of a function that reports them.

    None, an empty object and an empty list mean that no message failed. A result that Lambda cannot read means that all
    messages failed: a failure without itemIdentifier, or with an empty one. The guide does not say what an id means
    that is not of the batch; here it also means that all failed, so that no message is lost.
    """
    if not result:
        return ()
    if not isinstance(result, dict):
        return ids
    reported = result.get("batchItemFailures") or []
    try:
        failed = {failure["itemIdentifier"] for failure in reported}
    except (KeyError, TypeError):
        return ids
    return failed if failed <= set(ids) else ids


def _record(message: Mapping[str, Any], source: QueueSource) -> dict[str, Any]:
    """A message as its event carries it."""
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
        "messageAttributes": {
            name: {
                **{key[0].lower() + key[1:]: value for key, value in attribute.items()},
                "stringListValues": [],
                "binaryListValues": [],
            }
            for name, attribute in message.get("MessageAttributes", {}).items()
        },
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": source.arn,
        "awsRegion": REGION,
    }
