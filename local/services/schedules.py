"""The template's schedules: functions invoked at a rate or by a cron expression.

Source: EventBridge Scheduler user guide, "Schedule types" (schedule-types).
"""

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from itertools import product

from local.account import ACCOUNT_ID, REGION, arn
from local.errors import FunctionError, TemplateError, Throttled
from local.template.resources import Function, Schedule

_UNITS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
# The search limit in days. The longest gap is 29 February around the year 2100.
_FURTHEST = 366 * 9
# Seconds between two checks of the clock, because the clock may be set.
_CHECK = 1.0


class Schedules:
    """Invokes functions at the times of their enabled schedules, in UTC, while the stack runs.

    The first call at a rate comes one interval after the start, not at once as after a deployment: a stack is started
    often. The result of a call is only in the function's log; a failed call is not retried. Use it only in the event
    loop.

    Args:
        functions: as the template declares them.
        invoke: runs a function by its short name; raises FunctionError and Throttled.
        now: the clock.
    """

    def __init__(
        self,
        functions: Iterable[Function],
        invoke: Callable[[str, bytes], Awaitable[bytes]],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Raise TemplateError if an expression is not supported."""
        self._invoke = invoke
        self._now = now
        started = now()
        self._tasks = [
            asyncio.create_task(self._keep(function.name, schedule, upcoming(schedule.expression, started)))
            for function in functions
            for schedule in function.schedules
            if schedule.enabled
        ]

    async def close(self) -> None:
        """Stop invoking; running calls are cancelled."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def start(self, function: str, schedule: Schedule) -> bytes:
        """Call a schedule's function now, and return its result; raises FunctionError and Throttled."""
        return await self._invoke(function, json.dumps(_event(schedule, self._now())).encode())

    async def _keep(self, function: str, schedule: Schedule, times: Iterator[datetime]) -> None:
        async with asyncio.TaskGroup() as calls:
            for due in times:
                await self._until(due)
                calls.create_task(self._fire(function, _event(schedule, due)))

    async def _until(self, due: datetime) -> None:
        """Wait until a time, also if the clock is set during the wait."""
        left = (due - self._now()).total_seconds()
        while left > 0:
            await asyncio.sleep(min(left, _CHECK))
            left = (due - self._now()).total_seconds()

    async def _fire(self, function: str, event: dict[str, object]) -> None:
        with suppress(FunctionError, Throttled):
            await self._invoke(function, json.dumps(event).encode())


def upcoming(expression: str, after: datetime) -> Iterator[datetime]:
    """Return the times of rate(...) or cron(...) after a time, in order.

    Raises TemplateError, at once, if the expression is not supported, as L, W and # of cron.
    """
    kind, _, rest = expression.partition("(")
    fields = rest.removesuffix(")").split()
    try:
        if kind == "rate":
            count, unit = fields
            return _at_rate(int(count) * _UNITS[unit.removesuffix("s")], after)
        if kind == "cron":
            minutes, hours, days, months, weekdays, years = fields
            return _at_times(
                [time(hour, minute) for hour, minute in product(_numbers(hours, 0, 23), _numbers(minutes, 0, 59))],
                _dates(
                    _numbers(days, 1, 31),
                    _numbers(months, 1, 12, _MONTHS),
                    _numbers(weekdays, 1, 7, _DAYS),
                    _numbers(years, 1970, 2199),
                    after.date(),
                ),
                after,
            )
    except (ValueError, KeyError) as error:
        raise TemplateError(f"the local stack does not support the schedule {expression}") from error
    raise TemplateError(f"the local stack does not support the schedule {expression}")


def _at_rate(interval: timedelta, after: datetime) -> Iterator[datetime]:
    while True:
        after += interval
        yield after


def _at_times(times: list[time], dates: Iterator[date], after: datetime) -> Iterator[datetime]:
    for day in dates:
        for moment in times:
            found = datetime.combine(day, moment, UTC)
            if found > after:
                yield found


def _dates(days: list[int], months: list[int], weekdays: list[int], years: list[int], first: date) -> Iterator[date]:
    since = 0
    while since < _FURTHEST:
        # ISO numbers the days of the week from Monday = 1, cron from Sunday = 1.
        if (
            first.day in days
            and first.month in months
            and first.isoweekday() % 7 + 1 in weekdays
            and first.year in years
        ):
            yield first
            since = 0
        first += timedelta(days=1)
        since += 1


def _numbers(field: str, low: int, high: int, names: tuple[str, ...] = ()) -> list[int]:
    """The numbers that a field of a cron expression stands for, in order; raises ValueError."""

    def number(text: str) -> int:
        return names.index(text) + low if text in names else int(text)

    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        if span in ("*", "?"):
            bounds = low, high
        elif last:
            bounds = number(first), number(last)
        else:
            bounds = number(first), high if step else number(first)
        found.update(range(bounds[0], bounds[1] + 1, int(step or 1)))
    if not found or not low <= min(found) <= max(found) <= high:
        raise ValueError(field)
    return sorted(found)


def _event(schedule: Schedule, due: datetime) -> dict[str, object]:
    """The event of a call without an input of its own."""
    scheduler = schedule.kind == "ScheduleV2"
    place = arn("scheduler", "schedule/default") if scheduler else arn("events", "rule")
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler" if scheduler else "aws.events",
        "account": ACCOUNT_ID,
        "time": due.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": REGION,
        "resources": [f"{place}/{schedule.name}"],
        "detail": "{}" if scheduler else {},
    }
