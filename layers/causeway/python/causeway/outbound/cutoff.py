"""A hard end for one attempt, however slowly the other side drips."""

import socket
from contextlib import suppress
from threading import Lock, Timer
from time import monotonic

from causeway.outbound.failures import TimedOut


class Cutoff:
    """The end of one attempt; when it comes, the watched connection is cut.

    A socket's own time limit starts again with every byte, and so never ends a call to a host that sends one a
    second. seconds: from now.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end = monotonic() + seconds
        self._lock = Lock()
        self._watched: socket.socket | None = None
        self._timer: Timer | None = None
        self._passed = False
        # Whether a byte of the request was handed to the connection, and so may have come there.
        self.sent = False

    @property
    def passed(self) -> bool:
        """Whether the end has come."""
        return self._passed or monotonic() >= self._end

    def left(self) -> float:
        """Return the seconds left.

        Raises:
            TimedOut: none are.
        """
        left = self._end - monotonic()
        if left <= 0:
            raise TimedOut(f"no complete answer within {self._seconds:g} s")
        return left

    def watch(self, connection: socket.socket) -> None:
        """Cut this connection at the end. A duplicate is kept: TLS takes the socket itself away."""
        timer = Timer(self.left(), self._cut)
        timer.daemon = True
        self._watched = connection.dup()
        self._timer = timer
        timer.start()

    def close(self) -> None:
        """Stop to watch."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            if self._watched is not None:
                self._watched.close()
                self._watched = None

    def _cut(self) -> None:
        with self._lock:
            self._passed = True
            if self._watched is not None:
                with suppress(OSError):
                    self._watched.shutdown(socket.SHUT_RDWR)
