"""Connecting to Postgres within a deadline, however many addresses the server's name has and whichever are silent."""

import socket
from collections.abc import Callable
from math import ceil
from typing import Any, TypeVar

import psycopg
from psycopg import conninfo

from causeway import races
from causeway.deadlines import Deadline, bounded

_Connection = TypeVar("_Connection", bound=psycopg.Connection[Any])


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

    def attempt(way: dict[str, Any]) -> _Connection:
        return make(**way | {"connect_timeout": max(2, ceil(deadline.left()))})

    try:
        return races.winner(ways, attempt, deadline)
    except TimeoutError as error:
        raise psycopg.OperationalError("no connection in time") from error


def _ways(given: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the parameters to try, one for each address of the server's name."""
    host = str(given.get("host") or "")
    # A socket's folder, several hosts, or an address already: the driver's own affair.
    if not host or host.startswith("/") or "," in host or given.get("hostaddr"):
        return [given]
    found = socket.getaddrinfo(host, given.get("port") or 5432, proto=socket.IPPROTO_TCP)
    addresses = dict.fromkeys(str(target[0]) for *_, target in found)
    return [given | {"hostaddr": address} for address in addresses]
