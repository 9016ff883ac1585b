"""The end of a call: made once, where the call begins, and handed down to everything that waits for an answer."""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from time import monotonic
from typing import TypeVar

_Result = TypeVar("_Result")


class Deadline:
    """A moment by which a call must be answered. seconds: from now; earlier: another deadline that must hold too."""

    def __init__(self, seconds: float, earlier: "Deadline | None" = None) -> None:
        # By the monotonic clock.
        end = monotonic() + seconds
        self.end = end if earlier is None else min(end, earlier.end)

    def left(self) -> float:
        """Return the seconds left, 0 once it has passed."""
        return max(self.end - monotonic(), 0.0)


def bounded(seconds: float, work: Callable[[], _Result]) -> _Result:
    """Return what a function returns, if it does so in time; it runs in a thread of its own.

    For what has no time limit that covers all of it: a name's resolution, an answer that drips byte by byte, the
    several addresses of a name.

    Args:
        seconds: to wait for it; at 0 it is not begun.
        work: the function; it may go on after its time is up, and cannot be stopped. What it returns then is lost.

    Raises:
        TimeoutError: it took longer.
        Exception: what the function raised.
    """
    if seconds <= 0:
        raise TimeoutError
    done: Future[_Result] = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except Exception as error:  # noqa: BLE001 - raised again where the result is awaited
            done.set_exception(error)

    Thread(target=run, daemon=True).start()
    return done.result(seconds)
