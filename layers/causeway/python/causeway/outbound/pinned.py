"""Connections to the very address the egress guard has judged: requests' adapter for one attempt."""

import logging
import socket
import ssl
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from requests import PreparedRequest, certs
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import SSLError

from causeway import races
from causeway.deadlines import Deadline
from causeway.outbound import egress
from causeway.outbound.cutoff import Cutoff
from causeway.outbound.failures import ConnectFailed, TimedOut, TlsFailed

# It warns of a stranger's bad header with the URL, which may hold a secret, and with the header itself.
logging.getLogger("urllib3").setLevel(logging.CRITICAL)


def _dial(host: str, port: int, cutoff: Cutoff) -> socket.socket:
    """Connect to the first of the host's addresses that takes a connection."""
    found = egress.endpoints(host, port, cutoff.left())
    try:
        connection = races.dial(found, Deadline(cutoff.left()))
    except TimeoutError as error:
        raise TimedOut(f"{host}:{port} accepted no connection in time") from error
    except OSError as error:
        raise ConnectFailed(f"{host}:{port}: {error}") from error
    try:
        cutoff.watch(connection)
    except BaseException:
        connection.close()
        raise
    return connection


class _PinnedConnection(HTTPConnection):
    def __init__(self, *args: Any, cutoff: Cutoff, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._cutoff = cutoff

    def _new_conn(self) -> socket.socket:
        return _dial(self._dns_host, self.port, self._cutoff)

    def send(self, data: Any) -> None:
        """Send a part of the request: from its first byte on, it may have come there."""
        _note_sent(self, self._cutoff)
        super().send(data)


class _PinnedTlsConnection(HTTPSConnection):
    def __init__(self, *args: Any, cutoff: Cutoff, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._cutoff = cutoff

    def _new_conn(self) -> socket.socket:
        return _dial(self._dns_host, self.port, self._cutoff)

    def connect(self) -> None:
        try:
            super().connect()
        # A socket that is closed, or that times out, during the handshake raises an OSError of any kind.
        except (SSLError, OSError) as error:
            self._cutoff.left()
            if isinstance(error, TimeoutError):
                raise TimedOut(f"{self.host}:{self.port} ended no handshake in time") from error
            raise TlsFailed(f"{self.host}:{self.port}: {error}") from error

    def send(self, data: Any) -> None:
        """Send a part of the request: from its first byte on, it may have come there."""
        _note_sent(self, self._cutoff)
        super().send(data)


def _note_sent(connection: HTTPConnection, cutoff: Cutoff) -> None:
    # What fails before the connection stands has sent nothing.
    if connection.sock is None:
        connection.connect()
    cutoff.sent = True


class _PinnedPool(HTTPConnectionPool):
    ConnectionCls: Any = _PinnedConnection


class _PinnedTlsPool(HTTPSConnectionPool):
    ConnectionCls: Any = _PinnedTlsConnection


@cache
def _trusted() -> ssl.SSLContext:
    """The system's certificate authorities (or those of SSL_CERT_FILE, OpenSSL's own setting) and Mozilla's."""
    context = ssl.create_default_context()
    context.load_verify_locations(certs.where())
    return context


class PinnedAdapter(HTTPAdapter):
    """Sends one request over a connection of its own, which ends with the cutoff.

    No proxy, no retries; a certificate is always checked, against the name in the URL.
    """

    def __init__(self, cutoff: Cutoff) -> None:
        super().__init__()
        self._cutoff = cutoff
        self._pool: HTTPConnectionPool | None = None

    def get_connection_with_tls_context(
        self,
        request: PreparedRequest,
        verify: object,  # noqa: ARG002 (requests' signature)
        proxies: object = None,  # noqa: ARG002
        cert: object = None,  # noqa: ARG002
    ) -> HTTPConnectionPool:
        """Return a pool of one connection to the request's host."""
        url = urlsplit(str(request.url))
        host = url.hostname or ""
        if url.scheme == "https":
            self._pool = _PinnedTlsPool(host, url.port or 443, ssl_context=_trusted(), cutoff=self._cutoff)
        else:
            self._pool = _PinnedPool(host, url.port or 80, cutoff=self._cutoff)
        return self._pool

    def cert_verify(self, conn: object, url: object, verify: object, cert: object) -> None:
        """Leave the context as it is: requests would load the authorities again for each call, or none."""

    def close(self) -> None:
        """Close the connection."""
        super().close()
        if self._pool is not None:
            self._pool.close()
