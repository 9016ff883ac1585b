"""A server that runs as a child process on a free port."""

import http.client
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from local.network import free_port
from local.processes import children
from local.startable import Startable

_START_SECONDS = 60.0


class Server(Startable):
    """A server on a free port. Its data is gone when it is stopped.

    Args:
        name: the subject of its errors' sentences.
        log: where its output goes.
        address: the IPv4 address it listens on.
        command: returns its absolute path and arguments, once the port is known.
        ready: whether it answers.
        environment: its environment variables.
    """

    def __init__(
        self,
        name: str,
        log: Path,
        address: str,
        *,
        command: Callable[[], Sequence[str]],
        ready: Callable[[], bool],
        environment: Mapping[str, str],
    ) -> None:
        self.log = log
        self.address = address
        self.port = 0
        self._name = name
        self._command = command
        self._ready = ready
        self._environment = environment
        self._child: children.Child | None = None

    @property
    def url(self) -> str:
        """The address it listens on, as a URL without a path."""
        return f"http://{self.address}:{self.port}"

    @property
    def pid(self) -> int:
        """The server's process id."""
        if self._child is None:
            raise RuntimeError(f"{self._name} is not running")
        return self._child.pid

    def start(self) -> None:
        """Start the server and return when it answers; raises StartError if it does not."""
        self.port = free_port(self.address)
        with self.log.open("wb") as output:
            self._child = children.start(
                self._command(), folder=self.log.parent, output=output, environment=self._environment
            )
        self._child.wait_until_ready(self._name, self.log, self._ready, _START_SECONDS)

    def stop(self) -> None:
        """Kill the server."""
        if self._child is not None:
            self._child.kill()
            self._child = None


def answers(address: str, port: int, path: str) -> bool:
    """Return whether a GET of a path is answered with 200."""
    connection = http.client.HTTPConnection(address, port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.client.OK
    except OSError:
        return False
    finally:
        connection.close()
