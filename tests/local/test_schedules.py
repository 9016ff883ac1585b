"""Schedules: the times of an expression, and the functions that are invoked at them."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from local import ROOT
from local.errors import FunctionError, TemplateError, Throttled
from local.gateway import schedules_route
from local.gateway.translation import Answer
from local.services.schedules import Schedules, upcoming
from local.template.reading import load
from local.template.resources import Function, Schedule

# A Saturday.
NOON = datetime(2026, 11, 21, 12, 0, 30, tzinfo=UTC)


def times(expression: str, count: int = 3, after: datetime = NOON) -> list[str]:
    return [found.strftime("%Y-%m-%d %H:%M:%S") for found in islice(upcoming(expression, after), count)]


def test_rate_counts_from_the_start() -> None:
    assert times("rate(5 minutes)") == ["2026-11-21 12:05:30", "2026-11-21 12:10:30", "2026-11-21 12:15:30"]
    assert times("rate(1 hour)", 1) == ["2026-11-21 13:00:30"]
    assert times("rate(2 days)", 1) == ["2026-11-23 12:00:30"]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        # Examples of the user guide's kinds of fields.
        ("17 3 * * ? *", ["2026-11-22 03:17:00", "2026-11-23 03:17:00"]),
        ("0/15 * * * ? *", ["2026-11-21 12:15:00", "2026-11-21 12:30:00"]),
        ("0,1 12 * * ? *", ["2026-11-21 12:01:00", "2026-11-22 12:00:00"]),
        ("30 8 ? * MON-FRI *", ["2026-11-23 08:30:00", "2026-11-24 08:30:00"]),
        ("0 0 ? * 1 *", ["2026-11-22 00:00:00", "2026-11-29 00:00:00"]),
        ("0 0 ? * SUN,SAT *", ["2026-11-22 00:00:00", "2026-11-28 00:00:00"]),
        ("0 6 1 1,JUL ? *", ["2027-01-01 06:00:00", "2027-07-01 06:00:00"]),
        ("0 0 29 2 ? *", ["2028-02-29 00:00:00", "2032-02-29 00:00:00"]),
        ("0 0 1 1 ? 2030", ["2030-01-01 00:00:00"]),
        ("0 0 31 2 ? *", []),
        ("0 0 1 1 ? 2020", []),
    ],
)
def test_cron_has_these_times(fields: str, expected: list[str]) -> None:
    assert times(f"cron({fields})", 2) == expected


@pytest.mark.parametrize(
    "expression",
    [
        *("", "rate", "rate()", "rate(5)", "rate(x minutes)", "rate(5 fortnights)", "at(2026-11-21T12:00:00)"),
        *("cron(* * * *)", "cron(60 * * * ? *)", "cron(x * * * ? *)", "cron(* * L * ? *)", "cron(* * ? * 2#1 *)"),
        *("cron(* 24 * * ? *)", "cron(* * ? * 8 *)", "cron(5-1 * * * ? *)", "cron(* * 0 * ? *)"),
    ],
)
def test_unsupported_expression_is_refused_at_once(expression: str) -> None:
    with pytest.raises(TemplateError, match="does not support the schedule"):
        upcoming(expression, NOON)


def function(*schedules: Schedule) -> Function:
    return Function("F", "f", "f", Path(), "f.f", 3, 128, None, "Text", {}, (), (), schedules=schedules)


class Clock:
    """A clock that starts at a given time and runs faster than the real one by a factor."""

    def __init__(self, start: datetime, speed: float = 1) -> None:
        self._start = start
        self._speed = speed
        self._began = time.monotonic()

    def __call__(self) -> datetime:
        return self._start + timedelta(seconds=(time.monotonic() - self._began) * self._speed)


async def calls(
    schedule: Schedule, clock: Clock, count: int, invoke: Callable[[str, bytes], Awaitable[bytes]] | None = None
) -> list[tuple[str, dict[str, Any]]]:
    """The first calls of a schedule."""
    made: list[tuple[str, dict[str, Any]]] = []
    enough = asyncio.Event()

    async def note(name: str, event: bytes) -> bytes:
        made.append((name, json.loads(event)))
        if len(made) == count:
            enough.set()
        return b"null" if invoke is None else await invoke(name, event)

    schedules = Schedules([function(schedule)], note, clock)
    try:
        await asyncio.wait_for(enough.wait(), 30)
    finally:
        await schedules.close()
    return made[:count]


def test_function_is_called_when_its_time_comes() -> None:
    clock = Clock(datetime(2026, 11, 21, 3, 16, 59, 900_000, tzinfo=UTC))
    [(name, event)] = asyncio.run(calls(Schedule("FDaily", "ScheduleV2", "cron(17 3 * * ? *)"), clock, 1))

    sample = json.loads((ROOT / "events" / "key-rotation.json").read_text())
    assert name == "f"
    assert set(event) == set(sample)
    assert {name: event[name] for name in ("version", "detail-type", "source", "time", "detail")} == {
        name: sample[name] for name in ("version", "detail-type", "source", "time", "detail")
    }
    assert event["resources"] == ["arn:aws:scheduler:eu-central-1:123456789012:schedule/default/FDaily"]


def test_disabled_schedule_calls_nothing() -> None:
    async def tasks() -> int:
        async def never(name: str, event: bytes) -> bytes:
            raise AssertionError(name)

        schedules = Schedules([function(Schedule("FOften", "ScheduleV2", "rate(1 minute)", enabled=False))], never)
        try:
            return len(asyncio.all_tasks()) - 1
        finally:
            await schedules.close()

    assert asyncio.run(tasks()) == 0


def test_schedule_of_type_rule_has_its_own_event() -> None:
    clock = Clock(NOON, speed=3600)
    [(_, event)] = asyncio.run(calls(Schedule("FOften", "Schedule", "rate(1 minute)"), clock, 1))

    assert (event["source"], event["detail"]) == ("aws.events", {})
    assert event["resources"] == ["arn:aws:events:eu-central-1:123456789012:rule/FOften"]


def test_rate_goes_on_after_a_failed_call() -> None:
    async def fail(name: str, event: bytes) -> bytes:
        raise FunctionError("LookupError", "nothing there")

    made = asyncio.run(calls(Schedule("FOften", "ScheduleV2", "rate(1 minute)"), Clock(NOON, speed=3600), 3, fail))

    first, second, third = [datetime.fromisoformat(event["time"]) for _, event in made]
    assert second - first == third - second == timedelta(minutes=1)
    assert first >= NOON + timedelta(minutes=1)


def test_slow_call_delays_no_other() -> None:
    async def wait(name: str, event: bytes) -> bytes:
        return await asyncio.get_running_loop().create_future()

    made = asyncio.run(calls(Schedule("FOften", "ScheduleV2", "rate(1 minute)"), Clock(NOON, speed=3600), 3, wait))

    assert len(made) == 3


def test_schedules_of_the_template_are_supported() -> None:
    found = {one.name: one.schedules for one in load(ROOT / "template.yaml", {"Stage": "local"}) if one.schedules}

    assert {"key-rotation", "sync-sweep"} <= set(found)
    for schedules in found.values():
        for schedule in schedules:
            assert next(upcoming(schedule.expression, NOON)) > NOON


@pytest.mark.parametrize("setting", ["GroupName: jobs", "ScheduleExpressionTimezone: Europe/Malta", "Input: '{}'"])
def test_unsupported_property_is_refused(tmp_path: Path, setting: str) -> None:
    (tmp_path / "code").mkdir()
    template = tmp_path / "template.yaml"
    template.write_text(
        f"""
Resources:
  OneFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: code/
      Handler: one.handler
      Events:
        Often: {{Type: ScheduleV2, Properties: {{ScheduleExpression: rate(1 day), {setting}}}}}
"""
    )
    with pytest.raises(
        TemplateError, match=rf"OneFunction\.Events\.Often\.{setting.partition(':')[0]}: .* not support it"
    ):
        load(template, {})


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (None, None),
        (FunctionError("LookupError", "nothing there"), "The function failed: LookupError: nothing there"),
        (Throttled(), "The function failed: it has reached its concurrency limit"),
    ],
)
def test_schedule_is_started_by_hand(error: Exception | None, sentence: str | None) -> None:
    made: list[dict[str, Any]] = []

    async def invoke(name: str, event: bytes) -> bytes:
        made.append(json.loads(event))
        if error is not None:
            raise error
        return b'{"queued": 0}'

    async def start() -> Answer:
        schedules = Schedules([], invoke, Clock(NOON))
        daily = Schedule("FDaily", "ScheduleV2", "cron(17 3 * * ? *)")
        answer = await schedules_route.start(partial(schedules.start, "f", daily), b"", "request-1")
        await schedules.close()
        return answer

    answer = asyncio.run(start())

    assert [event["time"] for event in made] == ["2026-11-21T12:00:30Z"]
    refusal = {
        "error": sentence,
        "code": "FUNCTION_FAILED",
        "requestId": "request-1",
        "nextAction": "Read the function's log in .local/logs.",
    }
    expected = (200, {"queued": 0}) if sentence is None else (502, refusal)
    assert (answer.status, json.loads(answer.body)) == expected
