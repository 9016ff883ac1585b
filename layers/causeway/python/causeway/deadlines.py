"""The end of a call: made once, where the call begins, and handed down to everything that waits for an answer."""

from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from time import monotonic
from typing import Generic, TypeVar

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


class _Work(Generic[_Result]):
    """Work in a thread, whose result somebody waits for until he gives it up."""

    def __init__(self, work: Callable[[], _Result], discard: Callable[[_Result], object]) -> None:
        self._work = work
        self._discard = discard
        self._lock = Lock()
        self._given_up = False
        self._done: SimpleQueue[tuple[_Result, None] | tuple[None, Exception]] = SimpleQueue()

    def run(self) -> None:
        """Do the work; a result that nobody waits for any more is discarded."""
        try:
            result = self._work()
        except Exception as error:  # noqa: BLE001 - raised again where the result is awaited
            self._done.put((None, error))
            return
        with self._lock:
            if not self._given_up:
                self._done.put((result, None))
                return
        self._discard(result)

    def result(self, seconds: float) -> _Result:
        """Wait for the result, raise what the work raised, or give it up with TimeoutError."""
        try:
            done = self._done.get(timeout=seconds)
        except Empty:
            with self._lock:
                self._given_up = True
            # It may have come between the end of the wait and the giving up.
            if self._done.empty():
                raise TimeoutError from None
            done = self._done.get()
        if done[1] is not None:
            raise done[1]
        return done[0]


def bounded(
    seconds: float, work: Callable[[], _Result], discard: Callable[[_Result], object] = lambda _: None
) -> _Result:
    """Return what a function returns, if it does so in time; it runs in a thread of its own.

    For what has no time limit that covers all of it: a name's resolution, an answer that drips byte by byte, the
    several addresses of a name.

    Args:
        seconds: to wait for it; at 0 it is not begun.
        work: the function; it may go on after its time is up, and cannot be stopped.
        discard: is given a result that came too late, to close what must be closed.

    Raises:
        TimeoutError: it took longer.
        Exception: what the function raised.
    """
    if seconds <= 0:
        raise TimeoutError
    task = _Work(work, discard)
    Thread(target=task.run, daemon=True).start()
    return task.result(seconds)
