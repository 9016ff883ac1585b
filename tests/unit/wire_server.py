"""A server on loopback that handles each connection as a test tells it, byte by byte."""

import re
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from threading import Condition, Event, Thread
from types import TracebackType
from typing import Self

Act = Callable[[socket.socket, "WireServer"], None]


class WireServer:
    """Runs act(connection, server) after a request has arrived; with TLS if it has a context.

    act: may wait for server.over. requests: the requests that arrived, with their bodies. keeps_open: it waits for the
    next request on the connection instead of closing it. connections: how many it accepted.
    """

    def __init__(self, act: Act, context: ssl.SSLContext | None = None, *, keeps_open: bool = False) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self.over = Event()
        self._act = act
        self._context = context
        self.keeps_open = keeps_open
        self._open: set[socket.socket] = set()
        self._opened = Condition()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads = [Thread(target=self._accept)]

    @property
    def url(self) -> str:
        """Its URL."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.over.set()
        self.close_listener()
        self._close_open()
        for thread in list(self._threads):
            thread.join()

    def close_listener(self) -> None:
        """Take no more connections: the next one is refused."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def hang_up(self) -> None:
        """Close the connections that wait for another request, as soon as there is one."""
        with self._opened:
            assert self._opened.wait_for(lambda: self._open, timeout=60)
        self._close_open()

    def _close_open(self) -> None:
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.settimeout(10)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._context is None:
                self._answer(connection)
            else:
                with self._context.wrap_socket(connection, server_side=True) as secure:
                    self._answer(secure)

    def _answer(self, connection: socket.socket) -> None:
        while request := self._received(connection):
            self.requests.append(request)
            self._act(connection, self)
            if not self.keeps_open:
                return

    def _received(self, connection: socket.socket) -> bytes:
        """Return the next request; nothing if the connection ends before."""
        head = b""
        if self.keeps_open:
            with self._opened:
                self._open.add(connection)
                self._opened.notify_all()
            if self.over.is_set():
                return b""
        while b"\r\n\r\n" not in head:
            received = connection.recv(65536)
            if not received:
                return b""
            head += received
        self._open.discard(connection)
        length = re.search(rb"\r\nContent-Length: (\d+)", head)
        while length and len(head.partition(b"\r\n\r\n")[2]) < int(length[1]):
            head += connection.recv(65536)
        return head


def say(answer: bytes) -> Act:
    """Return an act that sends these bytes and closes the connection."""
    return lambda connection, _: connection.sendall(answer)


def ok(body: bytes, *headers: str) -> Act:
    """Return an act that answers 200 with this body."""

    def act(connection: socket.socket, server: WireServer) -> None:
        ends = () if server.keeps_open else ("Connection: close",)
        lines = ("HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers, *ends, "", "")
        connection.sendall("\r\n".join(lines).encode() + body)

    return act
