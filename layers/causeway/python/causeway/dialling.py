"""Connecting to Postgres within a deadline, however many addresses the server's name has and whichever are silent."""

import socket
from collections.abc import Callable
from math import ceil
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any, TypeVar

import psycopg
from psycopg import conninfo

from causeway.deadlines import Deadline, bounded

_Connection = TypeVar("_Connection")

# Seconds an address is given before the next is tried beside it (RFC 8305, 5: Connection Attempt Delay).
_HEAD_START = 0.25


def connect(make: Callable[..., _Connection], parameters: dict[str, Any], deadline: Deadline) -> _Connection:
    """Return a connection to the first of the server's addresses that takes one.

    The driver counts in whole seconds, two at least, for each address apart: three silent addresses are six seconds.
    So here each address is tried in a thread of its own, one a moment after the other, and none is waited for beyond
    the deadline. https://www.psycopg.org/psycopg3/docs/api/connections.html says how the driver counts.

    Args:
        make: psycopg's connect, or what stands in its place.
        parameters: of the connection, with or without conninfo.
        deadline: of the call that needs it.

    Raises:
        psycopg.OperationalError: no address took a connection in time; the last one's reason.
    """
    given = conninfo.conninfo_to_dict(**parameters)
    try:
        ways = bounded(deadline.left(), lambda: _ways(given))
    except TimeoutError as error:
        raise psycopg.OperationalError("the server's name was not resolved in time") from error
    except OSError as error:
        raise psycopg.OperationalError(f"the server's name is not resolved: {error}") from error
    race = _Race(lambda way: make(**way | {"connect_timeout": max(2, ceil(deadline.left()))}))
    return race.winner(ways, deadline)


def _ways(given: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the parameters to try, one for each address of the server's name."""
    host = str(given.get("host") or "")
    # A socket's folder, several hosts, or an address already: the driver's own affair.
    if not host or host.startswith("/") or "," in host or given.get("hostaddr"):
        return [given]
    found = socket.getaddrinfo(host, given.get("port") or 5432, proto=socket.IPPROTO_TCP)
    addresses = dict.fromkeys(str(target[0]) for *_, target in found)
    return [given | {"hostaddr": address} for address in addresses]


class _Race:
    """Attempts to connect, side by side; the first connection wins, and any later one is closed."""

    def __init__(self, attempt: Callable[[dict[str, Any]], Any]) -> None:
        self._attempt = attempt
        self._ended: SimpleQueue[Any] = SimpleQueue()
        self._lock = Lock()
        self._over = False

    def winner(self, ways: list[dict[str, Any]], deadline: Deadline) -> Any:
        """Return the first connection; raises psycopg.OperationalError, or whatever error the last attempt met."""
        waiting, running = list(ways), 0
        reason: Exception = psycopg.OperationalError("no connection in time")
        try:
            while (waiting or running) and deadline.left() > 0:
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

    def _run(self, way: dict[str, Any]) -> None:
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
