"""The deadline of a call: made once, where the call begins, and handed down to everything that waits for an answer."""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from time import monotonic
from typing import TypeVar

_Result = TypeVar("_Result")


class Deadline:
    """The moment by which a call must be answered.

    Args:
        seconds: from now.
        earlier: another deadline that must hold too.
    """

    def __init__(self, seconds: float, earlier: "Deadline | None" = None) -> None:
        # By the monotonic clock.
        end = monotonic() + seconds
        self.end = end if earlier is None else min(end, earlier.end)

    def left(self) -> float:
        """Return the seconds left, 0 after the deadline."""
        return max(self.end - monotonic(), 0.0)


def bounded(seconds: float, work: Callable[[], _Result]) -> _Result:
    """Run a function in a thread of its own and return its result, if it returns in time.

    For work without a time limit of its own: resolving a name, reading an answer that arrives byte by byte, trying
    several addresses.

    Args:
        seconds: how long to wait; at 0 the function is not started.
        work: the function. It cannot be stopped: after the time limit it goes on, and its result is dropped.

    Raises:
        TimeoutError: the function took longer.
        Exception: what the function raised.
    """
    if seconds <= 0:
        raise TimeoutError
    done: Future[_Result] = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except Exception as error:  # noqa: BLE001 - raised again in the waiting thread
            done.set_exception(error)

    Thread(target=run, daemon=True).start()
    return done.result(seconds)
