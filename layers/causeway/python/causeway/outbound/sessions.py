"""Sessions of requests that follow no redirect, and an adapter that tries a host's addresses side by side."""

import logging
import socket
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from causeway.outbound import happy_eyeballs
from causeway.outbound.deadlines import Deadline


class NoRedirectSession(requests.Session):
    """A session that treats no answer as a redirect, and silences urllib3. Every sender uses one.

    allow_redirects=False is not enough: requests still reads the whole body of a redirect to prepare the next request,
    and an untrusted host may send more than fits into memory.
    """

    def __init__(self) -> None:
        super().__init__()
        # urllib3 logs a malformed header of an answer together with the URL; both may hold a secret.
        logging.getLogger("urllib3").setLevel(logging.CRITICAL)

    def get_redirect_target(self, resp: Any) -> None:
        """Return None: no answer has a redirect target."""


class _Connection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _connected(self._dns_host, self.port, self.timeout)


class _TlsConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _connected(self._dns_host, self.port, self.timeout)


def _connected(host: str, port: int, seconds: Any) -> socket.socket:
    connection = happy_eyeballs.resolve_and_connect(host, port, Deadline(seconds))
    connection.settimeout(seconds)
    return connection


class _Pool(HTTPConnectionPool):
    ConnectionCls: Any = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls: Any = _TlsConnection


class HappyEyeballsAdapter(HTTPAdapter):
    """Keeps connections open, each to the first of a host's addresses that accepted within the time limit to connect.

    urllib3 tries the addresses one after the other, each for the whole time limit: a silent address would use up the
    time of the others.
    """

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Create the pools."""
        super().init_poolmanager(*args, **kwargs)
        pools: Any = {"http": _Pool, "https": _TlsPool}
        self.poolmanager.pool_classes_by_scheme = pools
