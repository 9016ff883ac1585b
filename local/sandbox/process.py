"""The sandbox as a child process of the local stack."""

import http.client
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from local import ROOT
from local.processes.servers import Server


class Sandbox(Server):
    """A running sandbox; a provider's base URL is its url, a slash and the provider's key.

    folder: where its log goes. address: the IPv4 address it listens on.
    """

    def __init__(self, folder: Path, address: str = "127.0.0.1") -> None:
        super().__init__("provider sandbox", folder / "sandbox.log", address)

    @property
    def _environment(self) -> Mapping[str, str]:
        return {"PYTHONPATH": str(ROOT)}

    def _program(self) -> Sequence[str]:
        return [sys.executable, "-m", "local.sandbox", "--address", self.address, "--port", str(self.port)]

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection(self.address, self.port, timeout=5)
        try:
            connection.request("GET", "/_sandbox/calls")
            return connection.getresponse().status == http.client.OK
        except OSError:
            return False
        finally:
            connection.close()
