"""The sandbox as a child process of the local stack."""

import http.client
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from local import ROOT
from local.processes.servers import Server
from local.sandbox.registry import FOLDER


class Sandbox(Server):
    """A running sandbox; a platform's base URL is the sandbox's url, a slash and the platform's key.

    folder: where its log goes. address: the IPv4 address it listens on. platforms: the folder of the platforms' files.
    """

    def __init__(self, folder: Path, address: str = "127.0.0.1", platforms: Path = FOLDER) -> None:
        super().__init__("provider sandbox", folder / "sandbox.log", address)
        self._platforms = platforms

    @property
    def _environment(self) -> Mapping[str, str]:
        return {"PYTHONPATH": str(ROOT)}

    def _program(self) -> Sequence[str]:
        listen = ["--address", self.address, "--port", str(self.port)]
        return [sys.executable, "-m", "local.sandbox", *listen, "--platforms", str(self._platforms)]

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection(self.address, self.port, timeout=5)
        try:
            connection.request("GET", "/_sandbox/calls")
            return connection.getresponse().status == http.client.OK
        except OSError:
            return False
        finally:
            connection.close()
