"""The parts of jobs: time budget, lease, queue message, batch with partial failures, scheduled functions."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from datetime import timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
from aws_lambda_powertools import Metrics
from aws_lambda_powertools.utilities.batch.exceptions import BatchProcessingError

from causeway.aws import clients
from causeway.errors.requests import InvalidRequest
from causeway.jobs import batches, schedules
from causeway.jobs.invocations import CLOCK_MARGIN, Invocation, TimeBudget
from causeway.jobs.messages import RowMessage
from causeway.jobs.sweeping import delete_in_batches

TENANT, ROW = UUID("4e4b9a84-3d7f-431c-9391-ff7959383961"), UUID("565006e9-b875-4a21-8fe5-0c7bb29a4b4d")
BODY = json.dumps({"tenantId": str(TENANT), "rowId": str(ROW)})
CONTEXT = SimpleNamespace(aws_request_id="invocation", get_remaining_time_in_millis=lambda: 20_000)


# ---- Time budget and lease ----


@pytest.mark.parametrize(("remaining", "enough"), [(10_001, True), (10_000, False), (0, False)])
def test_no_work_begins_in_the_reserve(remaining: int, enough: bool) -> None:
    assert TimeBudget(lambda: remaining, reserve=10_000).has_time() is enough


def test_lease_outlives_the_invocation_although_clocks_differ() -> None:
    """HUB 27: another worker leases the row only when this one has certainly ended; the reserve belongs to this one."""
    budget = TimeBudget(lambda: 20_000, reserve=10_000)

    assert budget.lease() == timedelta(seconds=20) + CLOCK_MARGIN
    assert timedelta(0) < CLOCK_MARGIN


def test_invocation_takes_id_and_time_from_lambdas_context() -> None:
    invocation = Invocation.of(CONTEXT, reserve=19_999)
    job = invocation.job("sync-sweep", TENANT)

    assert (invocation.request_id, invocation.budget.has_time()) == ("invocation", True)
    assert Invocation.of(CONTEXT, reserve=20_000).budget.has_time() is False
    assert (job.job, job.actor, job.tenant, job.request_id) == ("sync-sweep", "sync-sweep", TENANT, "invocation")


@pytest.mark.parametrize(("batches_", "deleted", "asked"), [([], 0, 1), ([1000, 20], 1020, 3)])
def test_deletion_ends_with_the_first_empty_batch(batches_: list[int], deleted: int, asked: int) -> None:
    answers = [*batches_, 0, 1000]
    left = iter(answers)

    counts: dict[str, int] = {}

    delete_in_batches(TimeBudget(lambda: 1), lambda: next(left), counts)
    assert counts == {"swept": deleted}
    assert len(list(left)) == len(answers) - asked


def test_batches_that_were_deleted_before_a_failure_are_counted() -> None:
    left = iter([1000, 20])
    counts: dict[str, int] = {}

    with pytest.raises(StopIteration):
        delete_in_batches(TimeBudget(lambda: 1), lambda: next(left), counts)
    assert counts == {"swept": 1020}


# ---- The message ----


@pytest.mark.parametrize("body", [BODY, BODY.upper().replace("TENANTID", "tenantId").replace("ROWID", "rowId")])
def test_message_is_two_ids(body: str) -> None:
    assert RowMessage.parse(body) == RowMessage(TENANT, ROW)


@pytest.mark.parametrize("more", ['"traceId": "x"', '"runId": null', '"": {"rowId": 1}'])
def test_fields_of_another_release_are_ignored(more: str) -> None:
    """Refusing them would move the message to the dead-letter queue."""
    assert RowMessage.parse(f'{{"tenantId": "{TENANT}", {more}, "rowId": "{ROW}"}}') == RowMessage(TENANT, ROW)


@pytest.mark.parametrize(
    "body",
    [
        *("", "{", "[]", "null", "{}", '"text"', "\x00", "\ud800", "[" * 100_000),
        f'{{"tenantId": "{TENANT}"}}',
        f'{{"rowId": "{ROW}"}}',
        f'{{"tenantId": "{TENANT}", "rowId": "{ROW}", "rowId": "{ROW}"}}',
        f'{{"tenantId": "{TENANT}", "rowId": null}}',
        f'{{"tenantId": "{TENANT}", "rowId": 1}}',
        f'{{"tenantId": "{TENANT}", "rowId": ["{ROW}"]}}',
        f'{{"tenantId": "{TENANT}", "rowId": "{ROW} "}}',
        f'{{"tenantId": "{TENANT}", "rowId": "urn:uuid:{ROW}"}}',
        f'{{"tenantId": "{TENANT}", "rowId": "{ROW.hex}"}}',
    ],
    ids=lambda body: ascii(body)[:80],
)
def test_message_in_another_form_is_refused(body: str) -> None:
    with pytest.raises(InvalidRequest):
        RowMessage.parse(body)


@pytest.fixture
def queue_url(set_environment: Callable[..., None]) -> Iterator[str]:
    """A queue in moto."""
    from moto import mock_aws

    set_environment(AWS_DEFAULT_REGION="eu-central-1", AWS_ACCESS_KEY_ID="moto", AWS_SECRET_ACCESS_KEY="moto")
    with mock_aws():
        clients.client.cache_clear()
        yield clients.client("sqs").create_queue(QueueName="jobs")["QueueUrl"]
    clients.client.cache_clear()


def test_message_comes_out_of_the_queue_as_it_was_sent(queue_url: str) -> None:
    assert RowMessage(TENANT, ROW).send(queue_url) is True

    [message] = clients.client("sqs").receive_message(QueueUrl=queue_url)["Messages"]
    assert RowMessage.parse(message["Body"]) == RowMessage(TENANT, ROW)
    assert set(json.loads(message["Body"])) == {"tenantId", "rowId"}


def test_message_that_the_queue_refuses_is_no_error(queue_url: str, caplog: pytest.LogCaptureFixture) -> None:
    """HUB 32: its row is committed, and the sweeper sends another message."""
    assert RowMessage(TENANT, ROW).send(queue_url + "-gone") is False

    [record] = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert (vars(record)["tenant_id"], vars(record)["row_id"]) == (str(TENANT), str(ROW))
    assert "NonExistentQueue" in vars(record)["reason"]


# ---- The batch ----


def event_of(*bodies: str) -> dict[str, Any]:
    """An event with a queue's messages, whose ids are 0, 1, 2."""
    records = [
        {"messageId": str(n), "body": body, "eventSource": "aws:sqs", "attributes": {}, "messageAttributes": {}}
        for n, body in enumerate(bodies)
    ]
    return {"Records": records}


def test_batch_works_on_each_message_within_the_invocation() -> None:
    seen: list[tuple[str, timedelta, RowMessage]] = []

    def work(invocation: Invocation, message: RowMessage) -> str | None:
        seen.append((invocation.request_id, invocation.budget.lease(), message))
        return None

    answer = batches.work_on(event_of(BODY, BODY), CONTEXT, work)

    assert answer == {"batchItemFailures": []}
    assert seen == [("invocation", timedelta(seconds=20) + CLOCK_MARGIN, RowMessage(TENANT, ROW))] * 2


def test_failed_message_is_delivered_again_and_does_not_delay_others(caplog: pytest.LogCaptureFixture) -> None:
    """HUB 33"""
    worked: list[UUID] = []
    broken = RowMessage(TENANT, uuid4())

    def work(_: Invocation, message: RowMessage) -> str:
        if message == broken:
            raise LookupError
        worked.append(message.row_id)
        return "succeeded"

    bodies = (json.dumps({"tenantId": str(TENANT), "rowId": str(broken.row_id)}), "not a message", BODY)
    with caplog.at_level(logging.INFO):
        answer = batches.work_on(event_of(*bodies), CONTEXT, work)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "0"}, {"itemIdentifier": "1"}]}
    assert worked == [ROW]
    told = [[r.levelname, *(vars(r).get(name) for name in ("message_id", "row_id", "status"))] for r in caplog.records]
    assert told == [
        ["ERROR", "0", str(broken.row_id), None],
        ["ERROR", "1", None, None],
        ["INFO", "2", str(ROW), "succeeded"],
    ]
    assert [vars(r).get("tenant_id") for r in caplog.records] == [str(TENANT), None, str(TENANT)]


def test_batch_of_which_every_message_failed_is_an_error() -> None:
    with pytest.raises(BatchProcessingError, match="All records failed"):
        batches.work_on(event_of("x", "y"), CONTEXT, lambda *_: None)


def test_failure_of_one_batch_is_forgotten_by_the_next() -> None:
    """Both run in one execution environment."""
    work = partial(batches.work_on, context=CONTEXT, work=lambda *_: None)

    assert work(event_of("x", BODY)) == {"batchItemFailures": [{"itemIdentifier": "0"}]}
    assert work(event_of(BODY)) == {"batchItemFailures": []}


# ---- The parts of a scheduled function ----


def test_counts_of_parts_are_returned_together_and_equal_names_added() -> None:
    assert schedules.run_parts(a=lambda: {"failed": 1, "retired": 0}, b=lambda: {"failed": 2, "rotated": 3}) == {
        "failed": 3,
        "retired": 0,
        "rotated": 3,
    }


def test_failed_parts_do_not_stop_others_and_are_named_by_the_function_that_fails(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ran: list[str] = []

    def part(name: str, error: type[Exception] | None) -> dict[str, int]:
        ran.append(name)
        if error is not None:
            raise error(name)
        return {}

    with pytest.raises(ExceptionGroup) as raised:
        schedules.run_parts(
            first=partial(part, "one", LookupError),
            second=partial(part, "two", None),
            third=partial(part, "3", KeyError),
        )
    assert ran == ["one", "two", "3"]
    assert raised.value.message == "failed parts: first: LookupError('one'), third: KeyError('3')"
    assert [type(error) for error in raised.value.exceptions] == [LookupError, KeyError]
    assert [(vars(r)["part"], r.exc_info is not None) for r in caplog.records] == [("first", True), ("third", True)]


@pytest.mark.parametrize("error", [None, LookupError])
def test_count_that_an_alarm_reads_is_a_metric_also_of_a_part_that_raises(error: type[Exception] | None) -> None:
    metrics = Metrics()
    metrics.clear_metrics()

    with pytest.raises(error) if error else nullcontext(), schedules.reported("DataKeys") as counts:
        counts |= {"rotated": 0, "failed": 2}
        if error:
            raise error
    found = {name: metric["Value"] for name, metric in metrics.metric_set.items()}
    metrics.clear_metrics()
    assert found == {"DataKeysFailed": [2.0]}


# ---- Start-up ----


def test_jobs_load_no_sdk_before_it_is_used() -> None:
    program = """
import sys
from causeway.jobs import batches, due, invocations, messages, schedules, sweeping
print(*{"boto3", "botocore.session", "pydantic"} & set(sys.modules))
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)

    assert (done.stdout, done.stderr) == ("\n", "")
