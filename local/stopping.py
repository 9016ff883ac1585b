"""Ctrl-C, SIGTERM and SIGHUP end a command of the local stack wherever it is, also while it loads its modules."""

import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _Stopped(BaseException):
    """The command was stopped: raised in the main thread by the signal's handler."""


def until_stopped(work: Callable[[], int]) -> int | None:
    """Do a command's work; returns its exit status, or None if a signal stopped it.

    Costly modules are imported in the work: before the handlers are set, Ctrl-C ends in a traceback.

    Raises:
        What the work raises, unless it was stopped. Code that is stopped may raise an error of its own as it cleans up:
        yoyo cannot roll a migration back on a connection that psycopg has closed.
    """
    stopped = False

    def stop(_number: int, _frame: FrameType | None) -> None:
        nonlocal stopped
        stopped = True
        for each in _SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        # The end takes seconds during the start-up. The signal may have interrupted a print, so this is none.
        tell("stopping")
        raise _Stopped

    for each in _SIGNALS:
        # `nohup` ignores SIGHUP, so that the command goes on without its terminal.
        if each != signal.SIGHUP or signal.getsignal(each) != signal.SIG_IGN:
            signal.signal(each, stop)
    try:
        status = work()
    except BaseException:
        if not stopped:
            raise
        return None
    return None if stopped else status


def tell(line: str) -> None:
    """Write a line to stderr, if somebody still reads it."""
    with suppress(OSError):
        os.write(sys.stderr.fileno(), f"{line}\n".encode())
