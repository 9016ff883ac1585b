"""The addresses and ports of the stack."""

import errno
import socket
import struct
import sys
from contextlib import suppress

from local.errors import StartError

LOOPBACK = "127.0.0.1"

_BRIDGE = "docker0"
_HIGHEST_PORT = 65535
_SIOCGIFADDR = 0x8915  # netdevice(7): the IPv4 address of an interface


def bridge_address() -> str:
    """Return the host's IPv4 address on Docker's bridge; raises StartError if there is none."""
    if sys.platform == "linux":
        import fcntl

        request = struct.pack("256s", _BRIDGE.encode())
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, suppress(OSError):
            return socket.inet_ntoa(fcntl.ioctl(probe, _SIOCGIFADDR, request)[20:24])
    raise StartError(
        f"there is no network interface {_BRIDGE} with an address, Docker's bridge: start Docker, or leave out "
        "CONTAINERS=1 (--containers)"
    )


def free_port(address: str) -> int:
    """Return a TCP port that nothing listens on at this moment."""
    with socket.socket() as listener:
        listener.bind((address, 0))
        return int(listener.getsockname()[1])


def reserve(addresses: tuple[str, ...], port: int) -> list[socket.socket]:
    """Return sockets that listen on one port of all these addresses (0 = any free port).

    Raises:
        StartError: the port is taken, not allowed, or not a port number.
    """
    if not 0 <= port <= _HIGHEST_PORT:
        raise StartError(
            f"{port} is not a port: choose one from 1 to {_HIGHEST_PORT} with PORT=... (--port), or 0 for any"
        )
    reserved: list[socket.socket] = []
    try:
        for address in addresses:
            listener = socket.socket()
            reserved.append(listener)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((address, port))
            # A listening socket keeps the port. Requests wait in its queue until the stack is complete.
            listener.listen(128)
            port = int(listener.getsockname()[1])
    except OSError as error:
        for listener in reserved:
            listener.close()
        reasons = {errno.EADDRINUSE: "is taken", errno.EACCES: "may not be used"}
        reason = reasons.get(error.errno or 0, f"cannot be used ({error.strerror})")
        raise StartError(f"the port {port} {reason}: choose another with PORT=... (--port)") from None
    return reserved
