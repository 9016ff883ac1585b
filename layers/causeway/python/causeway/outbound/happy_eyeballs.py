"""Connecting to the first of a host's addresses that accepts, trying them staggered (Happy Eyeballs, RFC 8305)."""

import socket
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any, Protocol, TypeVar

from causeway.outbound.deadlines import Deadline

# The argument of socket.connect, and the family of the socket that takes it.
Endpoint = tuple[socket.AddressFamily, tuple[Any, ...]]


class _Closable(Protocol):
    def close(self) -> object: ...


_Target = TypeVar("_Target")
_Connection = TypeVar("_Connection", bound=_Closable)

# Seconds between the start of one attempt and of the next (RFC 8305, 5: Connection Attempt Delay).
_ATTEMPT_DELAY = 0.25


def resolve_and_connect(host: str, port: int, deadline: Deadline) -> socket.socket:
    """Return a TCP connection to a host, as connect does. The resolver has no time limit: it may take longer."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return connect([(family, target) for family, _, _, _, target in found], deadline)


def connect(endpoints: Sequence[Endpoint], deadline: Deadline) -> socket.socket:
    """Return a TCP connection to the first of a host's addresses that accepts.

    Args:
        endpoints: the host's addresses; at least one.
        deadline: of the call. The connection's own time limit is the time then left.

    Raises:
        TimeoutError: no address accepted in time.
        OSError: every address refused; the last one's reason.
    """

    def attempt(endpoint: Endpoint) -> socket.socket:
        family, target = endpoint
        connection = socket.socket(family, socket.SOCK_STREAM)
        try:
            connection.settimeout(max(deadline.left(), 0.001))
            connection.connect(target)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError:
            connection.close()
            raise
        return connection

    connection = first_connection(endpoints, attempt, deadline)
    connection.settimeout(max(deadline.left(), 0.001))
    return connection


def first_connection(
    targets: Sequence[_Target], attempt: Callable[[_Target], _Connection], deadline: Deadline
) -> _Connection:
    """Return the first connection that an attempt makes; later connections are closed.

    Each target is tried in a thread of its own, one _ATTEMPT_DELAY after the other. No attempt is waited for after the
    deadline.

    Args:
        targets: to connect to, the preferred one first.
        attempt: connects to one of them.
        deadline: of the call that needs the connection.

    Raises:
        TimeoutError: no attempt succeeded in time.
        Exception: every attempt failed; what the last one raised.
    """
    return _Attempts(attempt).first(targets, deadline)


class _Attempts:
    """Attempts to connect that run side by side."""

    def __init__(self, attempt: Callable[[Any], Any]) -> None:
        self._attempt = attempt
        # Each finished attempt: a connection, or the exception it raised.
        self._outcomes: SimpleQueue[Any] = SimpleQueue()
        self._lock = Lock()
        self._over = False

    def first(self, targets: Sequence[Any], deadline: Deadline) -> Any:
        waiting, running = list(targets), 0
        reason: Exception = TimeoutError("no connection in time")
        try:
            while waiting or running:
                if deadline.left() <= 0:
                    raise TimeoutError("no connection in time")
                if waiting:
                    Thread(target=self._run, args=[waiting.pop(0)], daemon=True).start()
                    running += 1
                seconds = min(_ATTEMPT_DELAY, deadline.left()) if waiting else deadline.left()
                try:
                    outcome = self._outcomes.get(timeout=seconds)
                except Empty:
                    continue
                running -= 1
                if not isinstance(outcome, Exception):
                    return outcome
                reason = outcome
        finally:
            self._end()
        raise reason

    def _run(self, target: Any) -> None:
        try:
            outcome: Any = self._attempt(target)
        except Exception as error:  # noqa: BLE001 - raised again in the waiting thread
            outcome = error
        with self._lock:
            if not self._over:
                self._outcomes.put(outcome)
                return
        _close(outcome)

    def _end(self) -> None:
        """Close what arrived after the first connection, and have later attempts close their own."""
        with self._lock:
            self._over = True
        while not self._outcomes.empty():
            _close(self._outcomes.get())


def _close(outcome: Any) -> None:
    if not isinstance(outcome, Exception):
        outcome.close()
