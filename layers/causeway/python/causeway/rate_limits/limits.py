"""The limits of a subject: how many requests it may make in each window."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

WindowName = Literal["minute", "hour", "day", "month"]
WINDOWS: tuple[WindowName, ...] = ("minute", "hour", "day", "month")

# A connection's, where its template has no limits.
DEFAULT_A_MINUTE = 100
# The largest limit of a window; a cost is at most as large.
MOST = 2_000_000_000
# A tenant may raise a limit of its template to this many times as much, because platforms give some accounts more.
MOST_TIMES = 10
# Percent of each window of a budget at a platform that only payments and messages may use.
RESERVE = 10


@dataclass(frozen=True, slots=True)
class Limits:
    """The most requests in each window. None: the window has no limit."""

    minute: int | None = None
    hour: int | None = None
    day: int | None = None
    month: int | None = None

    def of(self, window: WindowName) -> int | None:
        """Return the limit of a window."""
        return {"minute": self.minute, "hour": self.hour, "day": self.day, "month": self.month}[window]

    @property
    def smallest(self) -> int | None:
        """The smallest limit, which is the largest cost of one request; None: there is no limit."""
        return min((limit for limit in map(self.of, WINDOWS) if limit is not None), default=None)

    def without_reserve(self, percent: int) -> "Limits":
        """Return what is left of each window when this share, rounded up, is kept for others; at least 1 is left."""

        def left(limit: int | None) -> int | None:
            return None if limit is None else max(1, limit + -limit * percent // 100)

        return Limits(left(self.minute), left(self.hour), left(self.day), left(self.month))


DEFAULT = Limits(minute=DEFAULT_A_MINUTE)


def of_connection(template: Mapping[str, int], own: Mapping[str, int]) -> Limits:
    """Return the limits of a connection: its own where it has them, its template's in the other windows.

    Args:
        template: the limits of its template by window; without any, it has DEFAULT.
        own: the limits that the tenant's admin set, by window.
    """
    return Limits(**(_template(template) | dict(own)))


def most(template: Mapping[str, int]) -> Limits:
    """Return the largest limit that a tenant's admin may set in each window."""
    known = _template(template)
    return Limits(**{window: min(MOST, known.get(window, MOST) * MOST_TIMES) for window in WINDOWS})


def _template(template: Mapping[str, int]) -> dict[str, int]:
    return dict(template) or {"minute": DEFAULT_A_MINUTE}
