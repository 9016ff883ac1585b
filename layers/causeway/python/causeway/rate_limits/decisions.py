"""What the limiter decided about a request."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
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


class Decision:
    """The decision about a request. Most callers ask only whether it was granted: the rest is worked out on demand.

    Attributes:
        allowed: whether it was granted.
    """

    def __init__(
        self, answer: Mapping[str, Any], subjects: Sequence[Subject], usable: Sequence[Limits], cost: int
    ) -> None:
        """Store what was decided.

        Args:
            answer: of rate_limit_take_v1.
            subjects: in the order in which they were sent.
            usable: their limits for this request, in the same order.
            cost: of the request.
        """
        self.allowed: bool = answer["granted"]
        self._answer = answer
        self._subjects = subjects
        self._usable = usable
        self._cost = cost

    @cached_property
    def decided_at(self) -> datetime:
        """The database's time."""
        return datetime.fromisoformat(self._answer["decided_at"])

    @property
    def windows(self) -> tuple[Window, ...]:
        """All windows of all subjects that have a limit."""
        return tuple(window for _, window, _ in self._found)

    @property
    def tightest(self) -> Window | None:
        """The window that is full for the longest time, or else has the least remaining; None: no limit."""
        if self._refusal is not None:
            return self._refusal[1]
        return min(self.windows, key=lambda window: (window.remaining, window.reset_at), default=None)

    @property
    def retry_after(self) -> int | None:
        """Seconds after which the same request is granted, if no other request was; None: it was granted."""
        return None if self._refusal is None else self._refusal[1].seconds_left(self.decided_at)

    @property
    def refused_by(self) -> Subject | None:
        """The subject whose window is full for the longest time; None: it was granted."""
        return None if self._refusal is None else self._refusal[0]

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

    @cached_property
    def _refusal(self) -> tuple[Subject, Window] | None:
        """The subject and the window that refuse for the longest time; None: it was granted."""
        if self.allowed:
            return None
        refusing = [(subject, window) for subject, window, refuses in self._found if refuses]
        return max(refusing, key=lambda one: one[1].reset_at)

    @cached_property
    def _found(self) -> list[tuple[Subject, Window, bool]]:
        return list(self._windows())

    def _windows(self) -> Iterator[tuple[Subject, Window, bool]]:
        """Yield each window with its subject, and whether it refuses the request."""
        for number, (subject, limits) in enumerate(zip(self._subjects, self._usable, strict=True)):
            for place, name in enumerate(WINDOWS):
                limit = limits.of(name)
                if limit is not None:
                    used = self._answer["used"][number * len(WINDOWS) + place]
                    begin, end = begin_and_end(name, self.decided_at)
                    length = round((end - begin).total_seconds())
                    window = Window(subject.kind, name, length, limit, used, max(0, limit - used), end)
                    yield subject, window, not self.allowed and used + self._cost > limit
            # The answer of the fast path has no told: the platform told nothing.
            told = self._answer.get("told_remaining", [None])[number]
            if told is not None:
                until = datetime.fromisoformat(self._answer["told_until"][number])
                window = Window(subject.kind, "platform", None, None, None, max(0, told), until)
                yield subject, window, not self.allowed and self._cost > told
