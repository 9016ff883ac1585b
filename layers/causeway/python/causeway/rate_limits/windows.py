"""The windows of limits: a minute, an hour, a day and a month of the clock in UTC."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Literal

from causeway.rate_limits.limits import WindowName
from causeway.rate_limits.subjects import Kind

_LENGTHS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}


@dataclass(frozen=True, slots=True)
class Window:
    """A window of a subject as it stands after a decision.

    Attributes:
        kind: of the subject.
        name: "platform": what the platform told of its own window.
        seconds: the length; None: the platform did not tell it.
        limit: the most requests; None: the platform did not tell it.
        used: requests that were granted in it; None: the platform did not tell it.
        remaining: requests that may still be granted.
        reset_at: its end, when the next one begins.
    """

    kind: Kind
    name: WindowName | Literal["platform"]
    seconds: int | None
    limit: int | None
    used: int | None
    remaining: int
    reset_at: datetime

    def seconds_left(self, now: datetime) -> int:
        """Return the seconds until its end, rounded up, so that a wait of as many seconds ends in the next window."""
        return max(1, ceil((self.reset_at - now).total_seconds()))


def begin_and_end(name: WindowName, now: datetime) -> tuple[datetime, datetime]:
    """Return the begin and the end of the window in which a time lies."""
    now = now.astimezone(UTC)
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if name == "month":
        begin = day.replace(day=1)
        return begin, (begin + timedelta(days=32)).replace(day=1)
    begin = day + (now - day) // _LENGTHS[name] * _LENGTHS[name]
    return begin, begin + _LENGTHS[name]
