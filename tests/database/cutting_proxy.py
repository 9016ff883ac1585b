"""A TCP proxy before Postgres that can lose one answer: the statement is committed, but the client gets no answer."""

import socket
from contextlib import suppress
from threading import Event, Thread
from typing import Self
from urllib.parse import urlsplit

# ReadyForQuery outside a transaction, which the server sends after a commit, and inside a transaction.
_COMMITTED = b"Z\0\0\0\5I"
_IN_TRANSACTION = b"Z\0\0\0\5T"
# The CommandComplete message of a COMMIT.
_COMMIT = b"C\0\0\0\x0bCOMMIT\0"


class CuttingProxy:
    """Forwards bytes in both directions; after lose_answer() it cuts the connection instead of a commit's answer.

    After lose_commit() it does so instead of the answer to a certain COMMIT. As a paused database it accepts the first
    connections and answers nothing on them.

    url: the database's URL through this proxy.
    silent: the number of connections from now that get no answer.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._target = (parts.hostname or "", parts.port or 5432)
        self._listener = socket.create_server(("127.0.0.1", 0))
        place = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.url = parts._replace(netloc=f"{parts.netloc.rpartition('@')[0]}@{place}").geturl()
        self._lose = Event()
        self._first = 0
        self.silent = 0
        # The number of lost answers.
        self.lost = 0
        # The number of COMMIT answers up to the lost one; 0 to lose none.
        self._commits = 0
        self._arrives = True
        self._sockets: list[socket.socket] = []
        self._threads = [Thread(target=self._accept)]

    def lose_answer(self, first: int = 0) -> None:
        """Lose the next commit's answer; first: the number of commit answers to let pass before."""
        self._first = first
        self._lose.set()

    def lose_commit(self, number: int, *, arrives: bool = True) -> None:
        """Lose the answer of the first COMMIT from now, the second, and so on; 0 loses none.

        Args:
            number: the number of the COMMIT.
            arrives: whether the COMMIT itself reaches the server.
        """
        self._commits, self._arrives = number, arrives

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in self._sockets:
            _close(one)
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if self.silent:
                    self.silent -= 1
                    self._sockets.append(client)
                    continue
                server = socket.create_connection(self._target)
                self._sockets += [client, server]
                for run in (self._forward, self._answer):
                    thread = Thread(target=run, args=(client, server))
                    self._threads.append(thread)
                    thread.start()

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := client.recv(65536):
                if not self._arrives and b"COMMIT\0" in data and self._is_lost():
                    break
                server.sendall(data)
        _close(client)
        _close(server)

    def _is_lost(self) -> bool:
        """Count a COMMIT; returns whether it is the one to lose."""
        self._commits -= 1
        if self._commits == 0:
            self.lost += 1
        return self._commits == 0

    def _answer(self, client: socket.socket, server: socket.socket) -> None:
        kept = b""
        with suppress(OSError):
            while data := server.recv(65536):
                kept += data
                if self._arrives and self._commits and _COMMIT in data and self._is_lost():
                    break
                committed = kept.endswith(_COMMITTED)
                if self._lose.is_set() and not committed and not kept.endswith(_IN_TRANSACTION):
                    continue
                if self._lose.is_set() and committed:
                    if not self._first:
                        self._lose.clear()
                        self.lost += 1
                        break
                    self._first -= 1
                client.sendall(kept)
                kept = b""
        _close(client)
        _close(server)


def _close(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
