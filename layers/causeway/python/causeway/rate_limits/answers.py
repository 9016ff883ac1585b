"""The answers of the rate limiter's function. tools/openapi/rate_limiter.py has their models for the API's document."""

from datetime import UTC, datetime
from typing import Any

from causeway.errors.requests import RateLimitExceeded
from causeway.rate_limits.decisions import Decision


class Refused(RateLimitExceeded):
    """A window of this limit is full"""

    def __init__(self, decision: Decision | None = None) -> None:
        """Make the error of a decision, whose fields its answer has too; None: the decision is not known."""
        if decision is None:
            super().__init__()
        else:
            super().__init__(decision.sentence, action=decision.action, retry_after=decision.retry_after)
        self._decision = decision

    @property
    def fields(self) -> dict[str, Any]:
        """The decision's fields."""
        return {} if self._decision is None else body_of(self._decision)


def body_of(decision: Decision) -> dict[str, Any]:
    """Return a decision as it is answered."""
    return {
        "allowed": decision.allowed,
        "limit": decision.limit,
        "remaining": decision.remaining,
        "reset_at": None if decision.reset_at is None else _time(decision.reset_at),
        "retry_after": decision.retry_after,
        "windows": [
            {
                "window": window.name,
                "limit": window.limit,
                "used": window.used,
                "remaining": window.remaining,
                "reset_at": _time(window.reset_at),
            }
            for window in decision.windows
        ],
    }


def _time(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
