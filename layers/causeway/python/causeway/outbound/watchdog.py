"""A watchdog timer for one call: it shuts the connection at the deadline, however slowly the other side sends."""

import socket
from contextlib import suppress
from threading import Lock, Timer

from causeway.outbound.deadlines import Deadline
from causeway.outbound.failures import TimedOut


class Watchdog:
    """Shuts the connection of one call at the call's deadline.

    A socket's own time limit starts again with every byte, so it never ends a call to a host that sends a byte a
    second.

    Args:
        seconds: the limit for the whole call, from now.
    """

    def __init__(self, seconds: float) -> None:
        self.deadline = Deadline(seconds)
        # True once a byte of the request was handed to the connection: the host may have received it.
        self.sent = False
        self._seconds = seconds
        self._lock = Lock()
        self._watched: socket.socket | None = None
        self._timer: Timer | None = None
        self._has_shut = False

    @property
    def expired(self) -> bool:
        """Whether the deadline has passed."""
        return self._has_shut or self.deadline.left() <= 0

    def check(self) -> None:
        """Raise TimedOut if the deadline has passed."""
        if self.deadline.left() <= 0:
            raise TimedOut(f"no complete answer within {self._seconds:g} s")

    def watch(self, connection: socket.socket) -> None:
        """Shut this connection at the deadline; raises TimedOut if it has passed.

        The watchdog keeps a duplicate of the socket, because TLS detaches the original. A socket with TLS has no dup().
        """
        self.check()
        timer = Timer(self.deadline.left(), self._shut)
        timer.daemon = True
        self._watched = socket.fromfd(connection.fileno(), connection.family, connection.type)
        self._timer = timer
        timer.start()

    def close(self) -> None:
        """Stop watching."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            if self._watched is not None:
                self._watched.close()
                self._watched = None

    def _shut(self) -> None:
        with self._lock:
            self._has_shut = True
            if self._watched is not None:
                with suppress(OSError):
                    self._watched.shutdown(socket.SHUT_RDWR)
