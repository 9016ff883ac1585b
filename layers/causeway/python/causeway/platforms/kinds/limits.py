"""limits.py of a platform: reads what its answers tell of its rate limits."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Signal:
    """What an answer tells of the platform's rate limits.

    Attributes:
        wait: seconds in which nobody should call; None: it tells none.
        app_wait: seconds of it that hold for all users of the OAuth app; None: none do.
        pause: seconds that this call should wait before it is sent again, beside wait: the platform is unavailable, but
            no limit is reached; None: it tells none.
        remaining: calls that are left until then; None: it does not tell.
        throttled: it refuses the call because of a limit, although its status is not 429.
        unprocessed: the platform documents that a call which it refuses so was not carried out.
        retry: the platform says whether to send the call again; None: it does not say.
    """

    wait: float | None = None
    remaining: int | None = None
    throttled: bool = False
    unprocessed: bool = False
    retry: bool | None = None
    app_wait: float | None = None
    pause: float | None = None

    @property
    def asked(self) -> float | None:
        """The seconds that this call should wait: the longest of all that are told; None: it tells none."""
        return max((seconds for seconds in (self.wait, self.pause) if seconds is not None), default=None)


# An answer that tells nothing.
SILENT = Signal()


class LimitReader(Protocol):
    """Reads what the headers and the body of an answer tell of the platform's limits, beside the general headers."""

    def read_limits(self, status: int, headers: Mapping[str, str], content: Any) -> Signal:
        """Return what an answer tells; SILENT if it tells nothing. It must not raise, whatever the platform sends.

        Args:
            status: the HTTP status, of errors and of successes.
            headers: a mapping that ignores the case of names.
            content: the body's JSON value; None if the body is no JSON.
        """
