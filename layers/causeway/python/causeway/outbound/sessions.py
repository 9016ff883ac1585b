"""Sessions of requests that follow no redirect, and read none either; and connections that race a host's addresses."""

import socket
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from causeway import races
from causeway.deadlines import Deadline


class Session(requests.Session):
    """A session for which no answer is a redirect.

    Told not to follow one, requests still reads all of its body to prepare the next request: of a stranger's answer
    that may be more than there is memory.
    """

    def get_redirect_target(self, resp: Any) -> None:
        """Return None: there is nowhere to go."""


class _RacingConnection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _reached(self._dns_host, self.port, self.timeout)


class _RacingTlsConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _reached(self._dns_host, self.port, self.timeout)


def _reached(host: str, port: int, seconds: Any) -> socket.socket:
    connection = races.reach(host, port, Deadline(seconds))
    connection.settimeout(seconds)
    return connection


class _RacingPool(HTTPConnectionPool):
    ConnectionCls: Any = _RacingConnection


class _RacingTlsPool(HTTPSConnectionPool):
    ConnectionCls: Any = _RacingTlsConnection


class RacingAdapter(HTTPAdapter):
    """Keeps connections, each to the first of a host's addresses that took it within the time limit to connect.

    urllib3 gives each address in turn that much time: a silent one would take it from those that live.
    """

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pools."""
        super().init_poolmanager(*args, **kwargs)
        pools: Any = {"http": _RacingPool, "https": _RacingTlsPool}
        self.poolmanager.pool_classes_by_scheme = pools
