"""The template's queues with real functions and moto's SQS: delivery, retry, dead letters, stop."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from local.errors import StartError, TemplateError
from local.runtime.environment_variables import EnvironmentVariables
from local.runtime.functions import Functions
from local.services import queues
from local.services.moto import Moto
from local.services.queues import EventSourceMappings, failures
from local.template.names import queue_url
from local.template.reading import load, load_queues
from local.template.resources import Queue, QueueSource

TEMPLATE = Path(__file__).parent / "toy_queue" / "template.yaml"
WORK, PLAIN, DEAD = "Work", "Plain", "Dead"


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moto]:
    moto = Moto(tmp_path_factory.mktemp("moto"))
    moto.start()
    yield moto
    moto.stop()


@pytest.fixture
def sqs(moto: Moto) -> Iterator[Callable[..., dict[str, Any]]]:
    """Call an operation of SQS on a queue of this test: sqs("SendMessage", WORK, MessageBody="...")."""

    def call(operation: str, queue: str, **parameters: Any) -> dict[str, Any]:
        status, answer = moto.call("sqs", f"AmazonSQS.{operation}", {"QueueUrl": queue_url(queue), **parameters})
        assert status == 200, answer
        return answer

    queues.make(moto, load_queues(TEMPLATE, {}))
    yield call
    for queue in (WORK, PLAIN, DEAD):
        call("DeleteQueue", queue)


Sqs = Callable[..., dict[str, Any]]


class Consumers:
    """The toy functions and the mappings that invoke them."""

    def __init__(self, functions: Functions, mappings: EventSourceMappings, sqs: Sqs, folder: Path) -> None:
        self.functions = functions
        self.mappings = mappings
        self._sqs = sqs
        self._folder = folder

    async def send(self, queue: str, *messages: tuple[str, str]) -> None:
        """Send messages (a name, and what the function does with it) to a queue, all at once."""
        entries = [
            {"Id": name, "MessageBody": json.dumps({"name": name, "then": then, "folder": str(self._folder)})}
            for name, then in messages
        ]
        await asyncio.to_thread(partial(self._sqs, "SendMessageBatch", queue, Entries=entries))

    def seen(self, name: str) -> list[dict[str, Any]]:
        """The deliveries of a message, in order."""
        files = sorted(self._folder.glob(f"{name}.*"), key=lambda file: file.suffix)
        return [json.loads(file.read_text() or "{}") for file in files]

    async def count(self, queue: str) -> tuple[int, int]:
        """The numbers of messages in a queue: visible, and being processed."""
        found = await asyncio.to_thread(partial(self._sqs, "GetQueueAttributes", queue, AttributeNames=["All"]))
        given = found["Attributes"]
        return int(given["ApproximateNumberOfMessages"]), int(given["ApproximateNumberOfMessagesNotVisible"])

    async def until(self, holds: Callable[[], Awaitable[bool]]) -> None:
        """Wait until a condition holds; fail after some seconds."""
        deadline = time.monotonic() + 30
        while not await holds():
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)

    async def until_empty(self, queue: str) -> None:
        async def empty() -> bool:
            return await self.count(queue) == (0, 0)

        await self.until(empty)

    async def until_dead(self, *names: str) -> None:
        """Wait until the dead-letter queue has these messages, and remove them from it."""
        found: set[str] = set()

        async def there() -> bool:
            answer = await asyncio.to_thread(partial(self._sqs, "ReceiveMessage", DEAD, MaxNumberOfMessages=10))
            found.update(json.loads(message["Body"])["name"] for message in answer.get("Messages", []))
            return found >= set(names)

        await self.until(there)
        assert found == set(names)


@asynccontextmanager
async def consuming(moto: Moto, sqs: Sqs, folder: Path) -> AsyncGenerator[Consumers]:
    """The toy functions, invoked by their queues."""
    toys = load(TEMPLATE, {})
    functions = Functions(toys, EnvironmentVariables(moto.url, 0, folder, {}), folder, 10)
    mappings = EventSourceMappings(toys, functions.invoke, moto.call)
    try:
        yield Consumers(functions, mappings, sqs, folder)
    finally:
        await mappings.close()
        await functions.close()


@pytest.fixture
def consumers(
    moto: Moto, sqs: Sqs, tmp_path: Path
) -> Callable[[Callable[[Consumers], Coroutine[Any, Any, None]]], None]:
    """Run a scenario in an event loop with the consumers."""

    def run(scenario: Callable[[Consumers], Coroutine[Any, Any, None]]) -> None:
        async def within() -> None:
            async with consuming(moto, sqs, tmp_path) as running:
                await scenario(running)

        asyncio.run(within())

    return run


Run = Callable[[Callable[[Consumers], Coroutine[Any, Any, None]]], None]


def test_message_is_delivered_as_lambda_does_and_deleted(consumers: Run, sqs: Sqs, tmp_path: Path) -> None:
    async def scenario(toys: Consumers) -> None:
        body = json.dumps({"name": "one", "then": "", "folder": str(tmp_path)})
        attributes = {"trace": {"StringValue": "t1", "DataType": "String"}}
        sent = sqs("SendMessage", WORK, MessageBody=body, MessageAttributes=attributes)
        await toys.until_empty(WORK)

        [record] = toys.seen("one")
        environment = record.pop("env")
        assert record.pop("receiptHandle")
        system = record.pop("attributes")
        assert system.pop("SentTimestamp").isdecimal()
        assert system.pop("ApproximateFirstReceiveTimestamp").isdecimal()
        assert set(system) == {"SenderId", "ApproximateReceiveCount"}
        assert system["ApproximateReceiveCount"] == "1"
        assert record == {
            "messageId": sent["MessageId"],
            "body": body,
            "messageAttributes": {
                "trace": {"stringValue": "t1", "dataType": "String", "stringListValues": [], "binaryListValues": []}
            },
            "md5OfBody": sent["MD5OfMessageBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:Work",
            "awsRegion": "eu-central-1",
        }
        assert environment["QUEUE_URL"].endswith("/Work")
        assert environment["QUEUE_NAME"] == "Work"
        assert environment["DEAD_LETTERS"] == "arn:aws:sqs:eu-central-1:123456789012:Dead"

    consumers(scenario)


def test_failed_message_of_a_batch_is_retried_alone_and_becomes_a_dead_letter(consumers: Run) -> None:
    async def scenario(toys: Consumers) -> None:
        await toys.send(WORK, ("good", ""), ("bad", "fail"), ("fine", ""))
        await toys.until_dead("bad")

        assert [len(toys.seen(name)) for name in ("good", "bad", "fine")] == [1, 2, 1]
        assert [one["attributes"]["ApproximateReceiveCount"] for one in toys.seen("bad")] == ["1", "2"]
        await toys.until_empty(WORK)

    consumers(scenario)


def test_batch_whose_function_raises_is_retried_and_blocks_no_other(consumers: Run) -> None:
    """No message of the batch is deleted, not even those processed before the error."""

    async def scenario(toys: Consumers) -> None:
        await toys.send(PLAIN, ("poison", "raise"), *((f"other{n}", "") for n in range(5)))
        await toys.until_dead("poison")

        assert len(toys.seen("poison")) == 2
        assert [len(toys.seen(f"other{n}")) for n in range(5)] == [1] * 5
        await toys.until_empty(PLAIN)

    consumers(scenario)


def test_failures_are_ignored_if_the_mapping_does_not_report_them(consumers: Run) -> None:
    async def scenario(toys: Consumers) -> None:
        await toys.send(PLAIN, ("unheard", "fail"))
        await toys.until_empty(PLAIN)

        assert len(toys.seen("unheard")) == 1
        assert await toys.count(DEAD) == (0, 0)

    consumers(scenario)


def test_no_more_batches_at_a_time_than_the_mapping_allows(consumers: Run, tmp_path: Path) -> None:
    async def scenario(toys: Consumers) -> None:
        names = ("a", "b", "c")
        await toys.send(PLAIN, *((name, "wait") for name in names))

        async def two() -> bool:
            return sum(bool(toys.seen(name)) for name in names) == 2

        await toys.until(two)
        assert sum(status.busy for status in toys.functions.statuses()) == 2
        # The third is not even received.
        assert await toys.count(PLAIN) == (1, 2)
        (tmp_path / "go").touch()
        await toys.until_empty(PLAIN)
        assert all(toys.seen(name) for name in names)

    consumers(scenario)


def test_stop_cancels_a_running_batch_and_keeps_its_message(consumers: Run, sqs: Sqs, tmp_path: Path) -> None:
    closed: list[Functions] = []

    async def stopped(toys: Consumers) -> None:
        await toys.send(WORK, ("slow", "wait"))

        async def begun() -> bool:
            return bool(toys.seen("slow"))

        await toys.until(begun)
        closed.append(toys.functions)

    async def again(toys: Consumers) -> None:
        (tmp_path / "go").touch()
        await toys.until_empty(WORK)
        assert len(toys.seen("slow")) == 2

    async def idle(toys: Consumers) -> None:
        await toys.mappings.close()
        await toys.send(WORK, ("late", ""))
        await asyncio.sleep(3 * queues._PAUSE)
        assert (toys.seen("late"), await toys.count(WORK)) == ([], (1, 0))

    consumers(stopped)
    assert closed[0].statuses() == []
    consumers(again)
    consumers(idle)


IDS = ("a", "b", "c")


@pytest.mark.parametrize(
    ("result", "failed"),
    [
        (None, ""),
        ({}, ""),
        ({"batchItemFailures": None}, ""),
        ({"batchItemFailures": []}, ""),
        ({"batchItemFailures": [{"itemIdentifier": "b"}]}, "b"),
        ({"batchItemFailures": [{"itemIdentifier": "b"}, {"itemIdentifier": "c"}]}, "bc"),
        ({"batchItemFailures": [{"itemIdentifier": ""}]}, "abc"),
        ({"batchItemFailures": [{"itemIdentifier": None}]}, "abc"),
        ({"batchItemFailures": [{"messageId": "b"}]}, "abc"),
        ({"batchItemFailures": ["b"]}, "abc"),
        ({"batchItemFailures": 1}, "abc"),
        ({"batchItemFailures": [{"itemIdentifier": "d"}]}, "abc"),
        ({"batchItemFailures": [{"itemIdentifier": ["b"]}]}, "abc"),
        ("done", "abc"),
        ([1], "abc"),
    ],
)
def test_result_names_the_failed_messages_or_all_count_as_failed(result: Any, failed: str) -> None:
    assert sorted(failures(result, IDS)) == sorted(failed)


def test_refused_queue_ends_the_start(moto: Moto) -> None:
    with pytest.raises(StartError, match=r"the queue no\.name could not be made"):
        queues.make(moto, [Queue("no.name", {})])


def test_queues_are_read_with_their_attributes() -> None:
    found = {queue.name: dict(queue.attributes) for queue in load_queues(TEMPLATE, {})}

    assert next(iter(found)) == DEAD
    assert found[DEAD] == {"MessageRetentionPeriod": "1209600"}
    redrive = json.loads(found[WORK].pop("RedrivePolicy"))
    assert redrive == {"deadLetterTargetArn": "arn:aws:sqs:eu-central-1:123456789012:Dead", "maxReceiveCount": 2}
    assert found[WORK] == {"VisibilityTimeout": "1"}


def test_mappings_are_read_from_the_template() -> None:
    found = {function.name: function.queues for function in load(TEMPLATE, {})}

    assert found == {
        "reporting": (QueueSource("arn:aws:sqs:eu-central-1:123456789012:Work", 10, 5, reports_failures=True),),
        "plain": (QueueSource("arn:aws:sqs:eu-central-1:123456789012:Plain", 1, 2, reports_failures=False),),
    }


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("BatchSize: 10", "BatchSize: 11", r"ReportingFunction\.Events\.Work\.BatchSize: .* 1 to 10 messages"),
        ("Queue: !GetAtt Work.Arn", "Queue: 1", r"ReportingFunction\.Events\.Work\.Queue: the ARN of a queue"),
        ("KmsMasterKeyId: alias/aws/sqs", "FifoQueue: true", r"Work\.FifoQueue: .* standard queues only"),
        ("!GetAtt Work.Arn", "!GetAtt Wrok.Arn", r"nothing local stands for the attribute Wrok\.Arn"),
    ],
)
def test_unsupported_property_is_refused_at_the_start(tmp_path: Path, old: str, new: str, message: str) -> None:
    (tmp_path / "functions").mkdir()
    template = tmp_path / "template.yaml"
    template.write_text(TEMPLATE.read_text().replace(old, new))
    with pytest.raises(TemplateError, match=message):
        (load_queues if "Fifo" in new else load)(template, {})


def test_fault_of_the_stack_ends_no_poller(moto: Moto, sqs: Sqs) -> None:
    """The batch stays in its queue and is delivered again; other messages go on too."""
    delivered: list[str] = []

    async def invoke(_: str, event: bytes) -> bytes:
        bodies = [record["body"] for record in json.loads(event)["Records"]]
        delivered.extend(bodies)
        if len(delivered) == len(bodies):
            raise RuntimeError("the execution environment is not idle")
        return b"null"

    async def scenario() -> None:
        mappings = EventSourceMappings(load(TEMPLATE, {}), invoke, moto.call)
        try:
            deadline = time.monotonic() + 30
            while len(delivered) < 2:
                assert time.monotonic() < deadline
                await asyncio.sleep(0.05)
        finally:
            await mappings.close()

    sqs("SendMessage", PLAIN, MessageBody="again")
    asyncio.run(scenario())

    assert delivered == ["again", "again"]


def test_fault_of_a_poll_does_not_end_the_poller(
    moto: Moto, sqs: Sqs, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A poller that ended would deliver no message any more, and nothing would say so."""
    faults = [RuntimeError("can't start new thread")] * 4

    def call(service: str, target: str, parameters: Mapping[str, object]) -> tuple[int, Any]:
        if not faults:
            return moto.call(service, target, parameters)
        raise faults.pop()

    async def scenario() -> None:
        toys = load(TEMPLATE, {})
        functions = Functions(toys, EnvironmentVariables(moto.url, 0, tmp_path, {}), tmp_path, 10)
        mappings = EventSourceMappings(toys, functions.invoke, call)
        try:
            running = Consumers(functions, mappings, sqs, tmp_path)
            await running.send(WORK, ("late", "succeed"))
            await running.until_empty(WORK)
        finally:
            await mappings.close()
            await functions.close()

    asyncio.run(scenario())

    assert not faults
    assert "ReceiveMessage of" in caplog.text
