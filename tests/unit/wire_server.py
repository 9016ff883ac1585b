"""A server on loopback that handles each connection as a test tells it, byte by byte."""

import re
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Thread
from types import TracebackType
from typing import Self

Act = Callable[[socket.socket, "WireServer"], None]


class WireServer:
    """Runs act(connection, server) after a request has arrived; with TLS if it has a context.

    act: may wait for server.over. requests: the requests that arrived, with their bodies.
    """

    def __init__(self, act: Act, context: ssl.SSLContext | None = None) -> None:
        self.requests: list[bytes] = []
        self.over = Event()
        self._act = act
        self._context = context
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
        for thread in list(self._threads):
            thread.join()

    def close_listener(self) -> None:
        """Take no more connections: the next one is refused."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            thread = Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.settimeout(10)
            if self._context is None:
                self._answer(connection)
            else:
                with self._context.wrap_socket(connection, server_side=True) as secure:
                    self._answer(secure)

    def _answer(self, connection: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            received = connection.recv(65536)
            if not received:
                return
            head += received
        length = re.search(rb"\r\nContent-Length: (\d+)", head)
        while length and len(head.partition(b"\r\n\r\n")[2]) < int(length[1]):
            head += connection.recv(65536)
        self.requests.append(head)
        self._act(connection, self)


def say(answer: bytes) -> Act:
    """Return an act that sends these bytes and closes the connection."""
    return lambda connection, _: connection.sendall(answer)


def ok(body: bytes, *headers: str) -> Act:
    """Return an act that answers 200 with this body."""
    lines = ("HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers, "", "")
    return say("\r\n".join(lines).encode() + body)
