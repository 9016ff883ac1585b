"""What the limiter decided about a request."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from causeway.errors.requests import RateLimitExceeded
from causeway.rate_limits.limits import WINDOWS, Limits
from causeway.rate_limits.subjects import Subject
from causeway.rate_limits.windows import Window, begin_and_end


@dataclass(frozen=True, slots=True)
class Decision:
    """The decision about a request.

    Attributes:
        decided_at: the database's time.
        windows: all windows of all subjects that have a limit.
        tightest: the window that is full for the longest time, or else has the least remaining; None: no limit.
        retry_after: seconds after which the same request is granted, if no other request was; None: it was granted.
        refused_by: the subject whose window is full for the longest time; None: it was granted.
    """

    allowed: bool
    decided_at: datetime
    windows: tuple[Window, ...]
    tightest: Window | None
    retry_after: int | None
    refused_by: Subject | None

    @property
    def limit(self) -> int | None:
        """The limit of the tightest window."""
        return None if self.tightest is None else self.tightest.limit

    @property
    def remaining(self) -> int | None:
        """What remains in the tightest window."""
        return None if self.tightest is None else self.tightest.remaining

    @property
    def reset_at(self) -> datetime | None:
        """The end of the tightest window."""
        return None if self.tightest is None else self.tightest.reset_at

    def require(self) -> None:
        """Raise RateLimitExceeded if the request was refused."""
        if not self.allowed:
            raise RateLimitExceeded(retry_after=self.retry_after)


def judged(row: Any, subjects: Sequence[Subject], usable: Sequence[Limits], cost: int) -> Decision:
    """Return the decision that a row of rate_limit_take_v1 tells.

    Args:
        row: its answer.
        subjects: in the order in which they were sent.
        usable: their limits for this request, in the same order.
        cost: of the request.
    """
    found = list(_windows(row, subjects, usable, cost))
    windows = tuple(window for _, window, _ in found)
    if row.granted:
        tightest = min(windows, key=lambda window: (window.remaining, window.reset_at), default=None)
        return Decision(True, row.decided_at, windows, tightest, None, None)
    subject, tightest, _ = max((one for one in found if one[2]), key=lambda one: one[1].reset_at)
    return Decision(False, row.decided_at, windows, tightest, tightest.seconds_left(row.decided_at), subject)


def _windows(
    row: Any, subjects: Sequence[Subject], usable: Sequence[Limits], cost: int
) -> Iterator[tuple[Subject, Window, bool]]:
    """Yield each window with its subject, and whether it refuses the request."""
    for number, (subject, limits) in enumerate(zip(subjects, usable, strict=True)):
        for place, name in enumerate(WINDOWS):
            limit = limits.of(name)
            if limit is not None:
                used = row.used[number * len(WINDOWS) + place]
                begin, end = begin_and_end(name, row.decided_at)
                length = round((end - begin).total_seconds())
                window = Window(subject.kind, name, length, limit, used, max(0, limit - used), end)
                yield subject, window, not row.granted and used + cost > limit
        told = row.told_remaining[number]
        if told is not None:
            window = Window(subject.kind, "platform", None, None, None, max(0, told), row.told_until[number])
            yield subject, window, not row.granted and cost > told
