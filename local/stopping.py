"""Ctrl-C, SIGTERM and SIGHUP end a command of the local stack wherever it is, also while it loads its modules."""

import os
import signal
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# Seconds until a stop that Python could not raise is raised again.
_AGAIN = 0.01


class _Stopped(BaseException):
    """The command was stopped: raised in the main thread by the signal's handler."""


def until_stopped(work: Callable[[], int]) -> int | None:
    """Do a command's work; returns its exit status, or None if a signal stopped it.

    Costly modules are imported in the work: before the handlers are set, Ctrl-C ends in a traceback. A signal is
    ignored only while the command cleans up because of an earlier one. The handlers of before are back at the end.

    Raises:
        What the work raises, unless it was stopped. Code that is stopped may raise an error of its own as it cleans up:
        yoyo cannot roll a migration back on a connection that psycopg has closed.
    """
    stopped = ended = False

    def stop(_number: int, _frame: FrameType | None) -> None:
        nonlocal stopped
        if ended or _is_cleaning_up():
            return
        if not stopped:
            stopped = True
            # The end takes seconds during the start-up. The signal may have interrupted a print, so this is none.
            tell("stopping")
        raise _Stopped

    try:
        with _handled_by(stop):
            try:
                status = work()
            finally:
                ended = True
    except BaseException:
        if not stopped:
            raise
        return None
    return None if stopped else status


@contextmanager
def _handled_by(stop: Callable[[int, FrameType | None], None]) -> Generator[None]:
    """Call stop at each signal, and again if Python could not raise what it raised."""
    handlers: dict[signal.Signals, Any] = {}
    hook = sys.unraisablehook

    def unraisable(error: "sys.UnraisableHookArgs") -> None:
        # Python cannot raise in a __del__ or in the callback of a weak reference; each import runs such callbacks.
        if error.exc_type is _Stopped:
            signal.setitimer(signal.ITIMER_REAL, _AGAIN)
        else:
            hook(error)

    try:
        sys.unraisablehook = unraisable
        for each in (*_SIGNALS, signal.SIGALRM):
            # `nohup` ignores SIGHUP, so that the command goes on without its terminal.
            if each != signal.SIGHUP or signal.getsignal(each) != signal.SIG_IGN:
                handlers[each] = signal.getsignal(each)
                signal.signal(each, stop)
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for each, handler in handlers.items():
            signal.signal(each, handler)
        sys.unraisablehook = hook


def _is_cleaning_up() -> bool:
    """Whether the interrupted code handles a stop, or an error that came of it."""
    error = sys.exception()
    while error is not None and not isinstance(error, _Stopped):
        error = error.__context__
    return error is not None


def tell(line: str) -> None:
    """Write a line to stderr, if somebody still reads it."""
    with suppress(OSError):
        os.write(sys.stderr.fileno(), f"{line}\n".encode())
