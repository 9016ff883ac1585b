"""The template's queues, and the event source mappings between them and the functions.

Facts from the AWS Lambda developer guide, "Using Lambda with Amazon SQS" (with-sqs) and "Handling errors for an SQS
event source" (services-sqs-errorhandling).
"""

import asyncio
import http.client
import json
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from typing import Any

from local.account import REGION
from local.errors import FunctionError, StartError, Throttled
from local.services.moto import Moto
from local.template.names import queue_url
from local.template.resources import Function, Queue, QueueSource

# Seconds between two looks into a queue that was empty.
_PAUSE = 0.25

Call = Callable[[str, str, Mapping[str, object]], tuple[int, dict[str, Any]]]


def make(moto: Moto, queues: Iterable[Queue]) -> None:
    """Makes the queues; raises StartError when one is refused."""
    for queue in queues:
        wanted = {"QueueName": queue.name, "Attributes": dict(queue.attributes)}
        status, answer = moto.call("sqs", "AmazonSQS.CreateQueue", wanted)
        if status != http.client.OK:
            raise StartError(f"the queue {queue.name} could not be made: {answer}")


class EventSourceMappings:
    """Receives messages from queues, calls functions with them, and deletes those that were dealt with.

    What failed stays in its queue and is visible again after the queue's VisibilityTimeout. Unlike Lambda it does not
    slow down where batches fail, and looks into an empty queue four times a second. Must be used in the event loop.

    invoke: runs a function by its short name; raises FunctionError and Throttled. call: SQS, as Moto.call.
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
        """Receives nothing more; batches that are being worked on are given up and stay in their queues."""
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
        return (await self._asked("ReceiveMessage", source, wanted)).get("Messages", [])

    async def _deliver(self, function: str, source: QueueSource, messages: list[dict[str, Any]]) -> None:
        event = {"Records": [_record(message, source) for message in messages]}
        ids = {message["MessageId"] for message in messages}
        try:
            result = json.loads(await self._invoke(function, json.dumps(event).encode()))
            failed = failures(result, ids) if source.reports_failures else set()
        # A ValueError: what a function returned is no JSON.
        except (FunctionError, Throttled, ValueError):
            failed = ids
        for message in messages:
            if message["MessageId"] not in failed:
                await self._asked("DeleteMessage", source, {"ReceiptHandle": message["ReceiptHandle"]})

    async def _asked(self, operation: str, source: QueueSource, parameters: Mapping[str, object]) -> dict[str, Any]:
        """The answer of SQS; empty where it does not answer, as its server may be gone before its caller."""
        parameters = {"QueueUrl": queue_url(source.arn.rpartition(":")[2]), **parameters}
        try:
            _, answer = await asyncio.to_thread(self._call, "sqs", f"AmazonSQS.{operation}", parameters)
        except (OSError, http.client.HTTPException, ValueError):
            return {}
        return answer


def failures(result: Any, ids: Collection[str]) -> Collection[str]:
    """The ids of a batch's messages that failed, by the result of a function that reports them.

    Nothing, an empty object and an empty list mean that none did. What Lambda cannot read means that all did: a
    failure without itemIdentifier, or with an empty one. What it makes of an id that is of no message in the batch the
    guide does not say; here it is read like that too, as nothing is lost by it.
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
