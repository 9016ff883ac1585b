"""The sandbox as a child process of the local stack."""

import http.client
import os
import sys
import time
from pathlib import Path

from local import ROOT
from local.children import Child, free_port, spawn
from local.errors import StartError

_START_SECONDS = 30.0


class Sandbox:
    """A running sandbox.

    folder: where its log goes. address: the IPv4 address it listens on.
    """

    def __init__(self, folder: Path, address: str = "127.0.0.1") -> None:
        self.log = folder / "sandbox.log"
        self.address = address
        self.port = 0
        self._child: Child | None = None

    @property
    def url(self) -> str:
        """Where it listens; a provider's base URL is this, a slash and the provider's key."""
        return f"http://{self.address}:{self.port}"

    @property
    def pid(self) -> int:
        """The server's process id."""
        if self._child is None:
            raise RuntimeError("the provider sandbox is not running")
        return self._child.pid

    def start(self) -> None:
        """Starts the server and returns when it answers; raises StartError when it does not."""
        self.port = free_port(self.address)
        program = [sys.executable, "-m", "local.sandbox", "--address", self.address, "--port", str(self.port)]
        environment = {"PATH": os.defpath, "LANG": "C.UTF-8", "HOME": "/", "PYTHONPATH": str(ROOT)}
        with self.log.open("wb") as output:
            self._child = spawn(program, environment=environment, folder=self.log.parent, output=output)
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            if self._child.wait(0.05) or time.monotonic() > deadline:
                self.stop()
                raise StartError(f"the provider sandbox did not start, see its log: {self.log}")

    def stop(self) -> None:
        """Stops the server, and with it all that it remembers."""
        if self._child is not None:
            self._child.kill()
            self._child = None

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection(self.address, self.port, timeout=5)
        try:
            connection.request("GET", "/_sandbox/calls")
            return connection.getresponse().status == http.client.OK
        except OSError:
            return False
        finally:
            connection.close()
