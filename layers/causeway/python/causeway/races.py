"""Connecting to the first of several addresses that takes a connection, however many of them are silent."""

import socket
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any, Protocol, TypeVar

from causeway.deadlines import Deadline

# What socket.connect takes, and the family of the socket that takes it.
Endpoint = tuple[socket.AddressFamily, tuple[Any, ...]]


class _Closable(Protocol):
    def close(self) -> object: ...


_Way = TypeVar("_Way")
_Connection = TypeVar("_Connection", bound=_Closable)

# Seconds an address is given before the next is tried beside it (RFC 8305, 5: Connection Attempt Delay).
_HEAD_START = 0.25


def reach(host: str, port: int, deadline: Deadline) -> socket.socket:
    """Return a TCP connection to a host, as dial does; the resolver knows no time limit, and is waited for."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return dial([(family, target) for family, _, _, _, target in found], deadline)


def dial(endpoints: Sequence[Endpoint], deadline: Deadline) -> socket.socket:
    """Return a TCP connection to the first of a host's addresses that takes one.

    Args:
        endpoints: where the host is; one at least.
        deadline: of the call. It is the socket's time limit too, as it is when the connection stands.

    Raises:
        TimeoutError: no address took a connection in time.
        OSError: none takes one; the last one's reason.
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

    connection = winner(endpoints, attempt, deadline)
    connection.settimeout(max(deadline.left(), 0.001))
    return connection


def winner(ways: Sequence[_Way], attempt: Callable[[_Way], _Connection], deadline: Deadline) -> _Connection:
    """Return the first connection that an attempt makes; any later one is closed.

    Each way is tried in a thread of its own, one a moment after the other, and none is waited for beyond the deadline.

    Args:
        ways: to connect, the preferred one first.
        attempt: connects by one of them.
        deadline: of the call that needs the connection.

    Raises:
        TimeoutError: none was made in time.
        Exception: whatever the last attempt raised, where each of them failed.
    """
    return _Race(attempt).winner(ways, deadline)


class _Race:
    """Attempts to connect, side by side."""

    def __init__(self, attempt: Callable[[Any], Any]) -> None:
        self._attempt = attempt
        self._ended: SimpleQueue[Any] = SimpleQueue()
        self._lock = Lock()
        self._over = False

    def winner(self, ways: Sequence[Any], deadline: Deadline) -> Any:
        waiting, running = list(ways), 0
        reason: Exception = TimeoutError("no connection in time")
        try:
            while waiting or running:
                if deadline.left() <= 0:
                    raise TimeoutError("no connection in time")
                if waiting:
                    Thread(target=self._run, args=[waiting.pop(0)], daemon=True).start()
                    running += 1
                try:
                    ended = self._ended.get(timeout=min(_HEAD_START, deadline.left()) if waiting else deadline.left())
                except Empty:
                    continue
                running -= 1
                if not isinstance(ended, Exception):
                    return ended
                reason = ended
        finally:
            self._end()
        raise reason

    def _run(self, way: Any) -> None:
        try:
            ended: Any = self._attempt(way)
        except Exception as error:  # noqa: BLE001 - raised again where the winner is awaited
            ended = error
        with self._lock:
            if not self._over:
                self._ended.put(ended)
                return
        _close(ended)

    def _end(self) -> None:
        with self._lock:
            self._over = True
        while not self._ended.empty():
            _close(self._ended.get())


def _close(ended: Any) -> None:
    if not isinstance(ended, Exception):
        ended.close()
