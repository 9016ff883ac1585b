"""An adapter for requests that connects only to the IP addresses the egress guard has checked (DNS pinning)."""

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

from causeway.outbound import egress, happy_eyeballs
from causeway.outbound.failures import ConnectFailed, TimedOut, TlsFailed
from causeway.outbound.watchdog import Watchdog


def _connect(host: str, port: int, watchdog: Watchdog) -> socket.socket:
    """Connect to the first of the host's addresses that accepts."""
    watchdog.check()
    found = egress.endpoints(host, port, watchdog.deadline.left())
    watchdog.check()
    try:
        connection = happy_eyeballs.connect(found, watchdog.deadline)
    except TimeoutError as error:
        raise TimedOut(f"{host}:{port} accepted no connection in time") from error
    except OSError as error:
        raise ConnectFailed(f"{host}:{port}: {error}") from error
    try:
        watchdog.watch(connection)
    except BaseException:
        connection.close()
        raise
    return connection


class _PinnedConnection(HTTPConnection):
    def __init__(self, *args: Any, watchdog: Watchdog, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._watchdog = watchdog

    def _new_conn(self) -> socket.socket:
        return _connect(self._dns_host, self.port, self._watchdog)

    def send(self, data: Any) -> None:
        """Send a part of the request; from its first byte on, the host may have received it."""
        _note_sent(self, self._watchdog)
        super().send(data)


class _PinnedTlsConnection(HTTPSConnection):
    def __init__(self, *args: Any, watchdog: Watchdog, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._watchdog = watchdog

    def _new_conn(self) -> socket.socket:
        return _connect(self._dns_host, self.port, self._watchdog)

    def connect(self) -> None:
        try:
            super().connect()
        # A socket that is closed or times out during the handshake raises any kind of OSError.
        except (SSLError, OSError) as error:
            self._watchdog.check()
            if isinstance(error, TimeoutError):
                raise TimedOut(f"{self.host}:{self.port} ended no handshake in time") from error
            raise TlsFailed(f"{self.host}:{self.port}: {error}") from error

    def send(self, data: Any) -> None:
        """Send a part of the request; from its first byte on, the host may have received it."""
        _note_sent(self, self._watchdog)
        super().send(data)


def _note_sent(connection: HTTPConnection, watchdog: Watchdog) -> None:
    # Connect first: a failure before the connection is established has sent nothing.
    if connection.sock is None:
        connection.connect()
    watchdog.sent = True


class _PinnedPool(HTTPConnectionPool):
    ConnectionCls: Any = _PinnedConnection


class _PinnedTlsPool(HTTPSConnectionPool):
    ConnectionCls: Any = _PinnedTlsConnection


@cache
def _trusted() -> ssl.SSLContext:
    """Trust the system's certificate authorities (or those of SSL_CERT_FILE, OpenSSL's own setting) and Mozilla's."""
    context = ssl.create_default_context()
    context.load_verify_locations(certs.where())
    return context


class PinnedAdapter(HTTPAdapter):
    """Sends one request over a connection of its own, which the watchdog shuts at the deadline.

    No proxy, no retries. The certificate is always checked, against the name in the URL.
    """

    def __init__(self, watchdog: Watchdog) -> None:
        super().__init__()
        self._watchdog = watchdog
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
            self._pool = _PinnedTlsPool(host, url.port or 443, ssl_context=_trusted(), watchdog=self._watchdog)
        else:
            self._pool = _PinnedPool(host, url.port or 80, watchdog=self._watchdog)
        return self._pool

    def cert_verify(self, conn: object, url: object, verify: object, cert: object) -> None:
        """Leave the TLS context as it is: requests would load the authorities again for each call, or none."""

    def close(self) -> None:
        """Close the connection."""
        super().close()
        if self._pool is not None:
            self._pool.close()
