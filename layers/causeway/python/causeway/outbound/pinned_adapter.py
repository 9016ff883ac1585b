"""An adapter for requests that connects only to the IP addresses the egress guard has checked (DNS pinning)."""

import socket
import ssl
from collections.abc import Hashable
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from requests import PreparedRequest, certs
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import SSLError

from causeway import ages
from causeway.outbound import egress, happy_eyeballs
from causeway.outbound.answer_framing import FramedAnswer
from causeway.outbound.failures import ConnectFailed, TimedOut, TlsFailed
from causeway.outbound.kept_connections import KEPT, KeptConnection, Place
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


@dataclass(slots=True)
class _Call:
    """What the adapter and the connection of one call share.

    Attributes:
        place: where the call goes; None: it takes no kept connection and leaves none.
        target: the path and the query of the request line.
        may_break: the caller tries again if the connection breaks.
        connection: that was made for it.
    """

    place: Place | None
    target: str
    watchdog: Watchdog
    may_break: bool
    connection: "_PinnedConnection | None" = None


class _PinnedConnection(HTTPConnection):
    """A connection of one call, over a socket that an earlier call left, or over a new one."""

    def __init__(self, *args: Any, call: _Call, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._call = call
        self._answer: FramedAnswer | None = None
        self._made_at, self._answers = ages.NEVER, 0
        self.response_class: Any = self._framed
        call.connection = self

    def _framed(self, *args: Any, **kwargs: Any) -> FramedAnswer:
        self._answer = FramedAnswer(*args, **kwargs)
        return self._answer

    def _new_conn(self) -> socket.socket:
        return _connect(self._dns_host, self.port, self._call.watchdog)

    def connect(self) -> None:
        """Take a kept connection, or make one."""
        place = self._call.place
        kept = None if place is None else KEPT.take(place, may_break=self._call.may_break)
        if kept is None:
            self._made_at = KEPT.clock()
            self._connect_anew()
            return
        self.sock = kept.connection
        self._made_at, self._answers = kept.made_at, kept.answers
        # The certificate was checked when it was made; without this, urllib3 warns that it was not.
        self.is_verified = True
        self._call.watchdog.watch(kept.connection)
        kept.connection.settimeout(max(self._call.watchdog.deadline.left(), 0.001))

    def _connect_anew(self) -> None:
        super().connect()

    def putrequest(self, method: str, url: str, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002 (its signature)
        """Begin the request with the call's target: requests and urllib3 have changed the escapes of the URL's."""
        super().putrequest(method, self._call.target, *args, **kwargs)

    def send(self, data: Any) -> None:
        """Send a part of the request; from its first byte on, the host may have received it."""
        # Connect first: a failure before the connection is established has sent nothing.
        if self.sock is None:
            self.connect()
        self._call.watchdog.sent = True
        super().send(data)

    def keep(self) -> None:
        """Leave the connection to a later call, if the answer allows it."""
        answer, connection, place = self._answer, self.sock, self._call.place
        if place is None or answer is None or connection is None or not answer.leaves_connection_clean:
            return
        self.sock = None
        kept = KeptConnection(connection, self._made_at, KEPT.clock(), self._answers + 1, answer.keeps_for)
        KEPT.keep(place, kept)


class _PinnedTlsConnection(_PinnedConnection, HTTPSConnection):
    def _connect_anew(self) -> None:
        try:
            super()._connect_anew()
        # A socket that is closed or times out during the handshake raises any kind of OSError.
        except (SSLError, OSError) as error:
            self._call.watchdog.check()
            if isinstance(error, TimeoutError):
                raise TimedOut(f"{self.host}:{self.port} ended no handshake in time") from error
            raise TlsFailed(f"{self.host}:{self.port}: {error}") from error


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
    """Sends one request over a kept connection or a new one, which the watchdog shuts at the deadline.

    No proxy, no retries. The certificate is always checked, against the name in the URL.

    Args:
        target: the path and the query of the request line; they are sent as they are.
        watchdog: of the call.
        keep_for: whose calls may share a connection; None: it is used for this call only.
        may_break: the caller tries again if the connection breaks.
    """

    def __init__(self, target: str, watchdog: Watchdog, *, keep_for: Hashable, may_break: bool) -> None:
        super().__init__()
        self._target = target
        self._watchdog = watchdog
        self._keep_for = keep_for
        self._may_break = may_break
        self._pool: HTTPConnectionPool | None = None
        self._call: _Call | None = None

    def get_connection_with_tls_context(
        self,
        request: PreparedRequest,
        verify: object,  # noqa: ARG002 (requests' signature)
        proxies: object = None,  # noqa: ARG002
        cert: object = None,  # noqa: ARG002
    ) -> HTTPConnectionPool:
        """Return a pool of one connection to the request's host."""
        url = urlsplit(str(request.url))
        host, tls = url.hostname or "", url.scheme == "https"
        port = url.port or (443 if tls else 80)
        place = None if self._keep_for is None else Place(tls, host, port, self._keep_for)
        self._call = call = _Call(place, self._target, self._watchdog, self._may_break)
        if tls:
            self._pool = _PinnedTlsPool(host, port, ssl_context=_trusted(), call=call)
        else:
            self._pool = _PinnedPool(host, port, call=call)
        return self._pool

    def cert_verify(self, conn: object, url: object, verify: object, cert: object) -> None:
        """Leave the TLS context as it is: requests would load the authorities again for each call, or none."""

    def keep(self) -> None:
        """Leave the connection to a later call. The answer was read and the watchdog is closed."""
        if self._call is not None and self._call.connection is not None:
            self._call.connection.keep()

    def close(self) -> None:
        """Close the connection, unless it was left to a later call."""
        super().close()
        if self._pool is not None:
            self._pool.close()
