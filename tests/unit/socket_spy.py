"""A spy on the sockets of this process: every address that is dialled, by whichever library."""

import socket
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

import pytest

# The ports that are watched now, each with the list that notes what is dialled.
_WATCHED: list[tuple[int, list[Any]]] = []
# Raised before the system call, for connect and connect_ex too: https://docs.python.org/3/library/audit_events.html
_EVENTS = frozenset(("socket.connect", "socket.sendto", "socket.sendmsg"))

_RESOLVE = socket.getaddrinfo


@contextmanager
def dialled(port: int) -> Generator[list[Any]]:
    """Yield a list that takes each address with this port which a socket of this process dials during the block.

    Choose a port that nothing else uses: the session's stack runs in this process too.
    """
    _hook()
    watched: tuple[int, list[Any]] = (port, [])
    _WATCHED.append(watched)
    try:
        yield watched[1]
    finally:
        _WATCHED.remove(watched)


def resolve_names(monkeypatch: pytest.MonkeyPatch, names: Mapping[str, list[Any]]) -> None:
    """Let the resolver know these names and localhost, read every spelling of an address, and ask no other machine."""

    def resolve(host: str, port: int, *given: Any, **more: Any) -> list[Any]:
        if host in names:
            return names[host]
        known = host.rstrip(".").lower() == "localhost"
        return _RESOLVE(host, port, *given, **{"flags": 0 if known else socket.AI_NUMERICHOST, **more})

    monkeypatch.setattr(socket, "getaddrinfo", resolve)


@cache
def _hook() -> None:
    """Begin to listen; an audit hook cannot be taken away again."""
    sys.addaudithook(_note)


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    # The address of a Unix socket is a text.
    if event in _EVENTS and isinstance(arguments[1], tuple):
        for port, noted in _WATCHED:
            if arguments[1][1] == port:
                noted.append(arguments[1])
