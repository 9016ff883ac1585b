"""What the limiter decided about a request."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from causeway.errors.requests import RateLimitExceeded
from causeway.rate_limits.limits import WINDOWS, Limits
from causeway.rate_limits.subjects import Kind, Subject
from causeway.rate_limits.windows import Window, begin_and_end
from causeway.wire.problem_words import counted

# In a sentence: the connection's limit.
_OWNERS: Mapping[Kind, str] = MappingProxyType(
    {
        "connection": "connection's",
        "provider": "platform's",
        "tenant": "tenant's",
        "api_key": "API key's",
        "oauth_app": "OAuth app's",
        "key": "key's",
    }
)


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
        """Raise RateLimitExceeded, which says whose limit it is, if the request was refused."""
        if not self.allowed:
            raise RateLimitExceeded(self.sentence, action=self.action, retry_after=self.retry_after)

    @property
    def sentence(self) -> str:
        """Whose limit refused the request; empty: it was granted."""
        subject, window = self.refused_by, self.tightest
        if subject is None or window is None:
            return ""
        if window.name == "platform" or window.limit is None:
            return f"The platform asks for a wait of {counted(self.retry_after or 1, 'second')}"
        limit = subject.limits.of(window.name) or window.limit
        left = "is used up" if window.remaining == 0 else f"has only {window.remaining} left"
        reserve = limit - window.limit
        kept = f", but for the {reserve} that only payments and messages may use" if reserve else ""
        return f"The {_OWNERS[subject.kind]} limit of {limit} a {window.name} {left}{kept}"

    @property
    def action(self) -> str:
        """The next action after a refusal; empty: the request was granted."""
        subject, window = self.refused_by, self.tightest
        if subject is None or window is None:
            return ""
        wait = f"Wait {counted(self.retry_after or 1, 'second')}, then send the same call again"
        raised = subject.kind == "connection" and window.limit is not None
        return f"{wait}; an admin may raise the connection's limits." if raised else f"{wait}."


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
