"""A server that the stack starts as a child process and waits for until it answers."""

import os
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path

from local.errors import StartError
from local.processes.children import Child, free_port, spawn

_START_SECONDS = 60.0


class Server(ABC):
    """A server on a free port, ended with all that it keeps when it is stopped.

    name: what a person calls it. log: where its output goes. address: the IPv4 address it listens on.
    """

    def __init__(self, name: str, log: Path, address: str) -> None:
        self._name = name
        self.log = log
        self.address = address
        self.port = 0
        self._child: Child | None = None

    @property
    def url(self) -> str:
        """Where it listens, without a path."""
        return f"http://{self.address}:{self.port}"

    @property
    def pid(self) -> int:
        """The server's process id."""
        if self._child is None:
            raise RuntimeError(f"the {self._name} is not running")
        return self._child.pid

    def start(self) -> None:
        """Starts the server and returns when it answers; raises StartError when it does not."""
        self.port = free_port(self.address)
        environment = {"PATH": os.defpath, "LANG": "C.UTF-8", "HOME": "/", **self._environment}
        with self.log.open("wb") as output:
            self._child = spawn(self._program(), environment=environment, folder=self.log.parent, output=output)
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            if self._child.wait(0.05) or time.monotonic() > deadline:
                self.stop()
                raise StartError(f"the {self._name} did not start, see its log: {self.log}")

    def stop(self) -> None:
        """Stops the server, and with it all that was stored there."""
        if self._child is not None:
            self._child.kill()
            self._child = None

    @property
    @abstractmethod
    def _environment(self) -> Mapping[str, str]:
        """What it needs of environment variables beside those that every program needs."""

    @abstractmethod
    def _program(self) -> Sequence[str]:
        """Absolute path and arguments; the port is chosen by now."""

    @abstractmethod
    def _answers(self) -> bool:
        """Whether it does what it is for, asked until it does."""
