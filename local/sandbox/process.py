"""The sandbox as a child process of the local stack."""

import sys
from collections.abc import Sequence
from pathlib import Path

from local import ROOT
from local.processes.servers import Server, answers
from local.sandbox.registry import FOLDER


class Sandbox(Server):
    """The sandbox as a server. The base URL of a platform is `<url>/<key>`.

    Args:
        folder: where its log goes.
        address: the IPv4 address it listens on.
        platforms: the folder of the platforms' files.
    """

    def __init__(self, folder: Path, address: str = "127.0.0.1", platforms: Path = FOLDER) -> None:
        super().__init__(
            "the provider sandbox",
            folder / "sandbox.log",
            address,
            command=self._sandbox,
            ready=lambda: answers(self.address, self.port, "/_sandbox/calls"),
            environment={"PYTHONPATH": str(ROOT)},
        )
        self._platforms = platforms

    def _sandbox(self) -> Sequence[str]:
        listen = ["--address", self.address, "--port", str(self.port)]
        return [sys.executable, "-m", "local.sandbox", *listen, "--platforms", str(self._platforms)]
