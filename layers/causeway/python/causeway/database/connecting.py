"""Connecting to Postgres within a deadline, when the server's name has several addresses and some do not answer."""

import socket
from collections.abc import Callable
from math import ceil
from typing import Any, TypeVar

import psycopg
from psycopg import conninfo

from causeway.outbound import happy_eyeballs
from causeway.outbound.deadlines import Deadline, bounded

_Connection = TypeVar("_Connection", bound=psycopg.Connection[Any])


def connect(make: Callable[..., _Connection], parameters: dict[str, Any], deadline: Deadline) -> _Connection:
    """Return a connection to the first of the server's addresses that accepts.

    The driver's connect_timeout is in whole seconds, at least two, and counts for each address: three silent addresses
    take six seconds. So each address is tried in a thread of its own, staggered, and none is waited for after the
    deadline. Source: https://www.psycopg.org/psycopg3/docs/api/connections.html.

    Args:
        make: psycopg's connect, or a function with its parameters.
        parameters: of the connection, with or without conninfo.
        deadline: of the call that needs the connection.

    Raises:
        psycopg.OperationalError: no address accepted in time; the last one's reason.
    """
    given = conninfo.conninfo_to_dict(**parameters)
    try:
        targets = bounded(deadline.left(), lambda: _targets(given))
    except TimeoutError as error:
        raise psycopg.OperationalError("the server's name was not resolved in time") from error
    except OSError as error:
        raise psycopg.OperationalError(f"the server's name is not resolved: {error}") from error

    def attempt(target: dict[str, Any]) -> _Connection:
        return make(**target | {"connect_timeout": max(2, ceil(deadline.left()))})

    try:
        return happy_eyeballs.first_connection(targets, attempt, deadline)
    except TimeoutError as error:
        raise psycopg.OperationalError("no connection in time") from error


def _targets(given: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the connection parameters to try, one set for each address of the server's name."""
    host = str(given.get("host") or "")
    # The driver handles a socket's folder, several hosts, or an address by itself.
    if not host or host.startswith("/") or "," in host or given.get("hostaddr"):
        return [given]
    found = socket.getaddrinfo(host, given.get("port") or 5432, proto=socket.IPPROTO_TCP)
    addresses = dict.fromkeys(str(target[0]) for *_, target in found)
    return [given | {"hostaddr": address} for address in addresses]
