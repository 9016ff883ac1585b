"""Connections that calls leave open for the next calls of the same execution environment: few, and not for long.

A kept connection is a bare socket. Headers, time limit and watchdog belong to a call, so nothing of ours is left in it
for the next call. But the host may send a second answer that nobody asked for. So a connection has an owner, and only
calls of this owner use it.
"""

import os
import socket
import ssl
from collections.abc import Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from threading import Lock
from typing import NamedTuple

from causeway import ages
from causeway.ages import Clock, Moment
from causeway.outbound import egress

# The one that was idle for longest is closed first.
MOST_CONNECTIONS = 16
# Seconds. A balancer closes after 60 in many places; a NAT gateway forgets after 350.
LONGEST_IDLE = 60.0
# Seconds from the connection's beginning: afterwards the host's name is resolved again.
LONGEST_LIFE = 300.0
# Seconds. A call that is not tried again takes a connection only within this time of its last answer.
JUST_USED = 1.0
# Some servers close after every answer without announcing it. One that has answered this often on one connection does
# not.
_PROVEN = 2


class Place(NamedTuple):
    """What a connection leads to, and whose calls use it.

    Attributes:
        host: as in the URL: its certificate was checked for this name.
        owner: whose calls may read each other's answers.
    """

    tls: bool
    host: str
    port: int
    owner: Hashable


@dataclass(frozen=True, slots=True)
class KeptConnection:
    """A connection that carries no request now.

    Attributes:
        made_at: when it was connected.
        idle_since: when its last answer ended.
        answers: how many it has carried.
        keeps_for: for how many seconds the server says that it keeps it open; None: it does not say.
    """

    connection: socket.socket
    made_at: Moment
    idle_since: Moment
    answers: int
    keeps_for: float | None = None

    def is_too_old(self, now: Moment) -> bool:
        """Return whether it was idle for too long or lives for too long, by whichever clock shows more time."""
        told = LONGEST_IDLE if self.keeps_for is None else self.keeps_for - JUST_USED
        idle = min(told, LONGEST_IDLE)
        return ages.age(self.idle_since, now) >= idle or ages.age(self.made_at, now) >= LONGEST_LIFE

    def suits(self, now: Moment, *, may_break: bool) -> bool:
        """Return whether a call may use it: one that is not retried needs a connection used within the last second."""
        is_fresh = ages.age(self.idle_since, now) <= JUST_USED and self.answers >= _PROVEN
        return may_break or is_fresh


class KeptConnections:
    """The connections that an execution environment keeps. Threads may share it.

    Attributes:
        clock: gives the present.
    """

    def __init__(self, clock: Clock = ages.now) -> None:
        self.clock = clock
        self._lock = Lock()
        # The one that was idle for longest comes first.
        self._kept: list[tuple[Place, KeptConnection]] = []

    def take(self, place: Place, *, may_break: bool) -> KeptConnection | None:
        """Return a connection to a place, which is the caller's from now on; None if there is none.

        Its address is judged again by the settings of now, and it is open and silent.

        Args:
            place: where it must lead.
            may_break: the caller tries again if the connection breaks.
        """
        with self._lock:
            now = self.clock()
            self._drop(lambda _, kept: kept.is_too_old(now))
            self._drop(lambda its, kept: its == place and not (_is_quiet(kept.connection) and _may_call(its, kept)))
            for entry in reversed(self._kept):
                if entry[0] == place and entry[1].suits(now, may_break=may_break):
                    self._kept.remove(entry)
                    return entry[1]
        return None

    def keep(self, place: Place, kept: KeptConnection) -> None:
        """Keep a connection, or close it if it must not carry another request."""
        if kept.is_too_old(self.clock()) or not _is_quiet(kept.connection):
            kept.connection.close()
            return
        with self._lock:
            self._kept.append((place, kept))
            surplus = {id(one) for _, one in self._kept[:-MOST_CONNECTIONS]}
            self._drop(lambda _, one: id(one) in surplus)

    def close(self) -> None:
        """Close all of them."""
        with self._lock:
            self._drop(lambda *_: True)

    def leave_to_parent(self) -> None:
        """Forget the connections of the process that this one was forked from; the parent goes on with them."""
        self._lock = Lock()
        self.close()

    def _drop(self, is_bad: Callable[[Place, KeptConnection], bool]) -> None:
        bad = [entry for entry in self._kept if is_bad(*entry)]
        self._kept = [entry for entry in self._kept if entry not in bad]
        for _, kept in bad:
            kept.connection.close()


def _may_call(place: Place, kept: KeptConnection) -> bool:
    """Return whether the egress guard still allows the address at the other end."""
    if egress.is_allowed_host(place.host, place.port):
        return True
    with suppress(OSError):
        return egress.blocked_kind(ip_address(kept.connection.getpeername()[0])) is None
    return False


def _is_quiet(connection: socket.socket) -> bool:
    """Return whether a connection is open and has nothing to read.

    Bytes without a request are no answer, and an end means that the other side closed it. Reading tells more than
    select does: with TLS a session ticket may wait in the socket, which is neither.
    """
    try:
        connection.settimeout(0)
        connection.recv(1)
    except (BlockingIOError, ssl.SSLWantReadError):
        return True
    except (OSError, ValueError):
        return False
    return False


# Of this execution environment.
KEPT = KeptConnections()
os.register_at_fork(after_in_child=KEPT.leave_to_parent)
