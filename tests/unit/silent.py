"""Addresses that do not answer."""

import socket
from contextlib import ExitStack


class Silent:
    """Addresses of this machine where a port accepts connections and sends nothing, or accepts no connection at all."""

    def __init__(self, addresses: list[str], *, accepts: bool, port: int = 0) -> None:
        self._open = ExitStack()
        self.port = port
        for address in addresses:
            listener = self._open.enter_context(socket.create_server((address, self.port), backlog=0))
            self.port = listener.getsockname()[1]
            if not accepts:
                self._fill(address)

    def _fill(self, address: str) -> None:
        """Fill the queue of pending connections: from then on no SYN is answered."""
        while True:
            caller = self._open.enter_context(socket.socket())
            caller.settimeout(0.3)
            try:
                caller.connect((address, self.port))
            except TimeoutError:
                return

    def close(self) -> None:
        self._open.close()
