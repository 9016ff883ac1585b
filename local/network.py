"""The addresses the stack listens on."""

import errno
import socket
import struct
import sys
from contextlib import suppress

from local.errors import StartError

LOOPBACK = "127.0.0.1"

_BRIDGE = "docker0"
_SIOCGIFADDR = 0x8915  # netdevice(7): the IPv4 address of an interface


def bridge_address() -> str:
    """The host's IPv4 address on Docker's bridge; raises StartError where there is none."""
    if sys.platform == "linux":
        import fcntl

        request = struct.pack("256s", _BRIDGE.encode())
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, suppress(OSError):
            return socket.inet_ntoa(fcntl.ioctl(probe, _SIOCGIFADDR, request)[20:24])
    raise StartError(f"--containers needs Docker's bridge, and there is no network interface {_BRIDGE} with an address")


def reserve(addresses: tuple[str, ...], port: int) -> list[socket.socket]:
    """Sockets on one port of all these addresses (0 = any free one); raises StartError if it is taken."""
    reserved: list[socket.socket] = []
    try:
        for address in addresses:
            listener = socket.socket()
            reserved.append(listener)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((address, port))
            # Listening already keeps the port from others; nobody is answered before the stack is complete.
            listener.listen(128)
            port = int(listener.getsockname()[1])
    except OSError as error:
        for listener in reserved:
            listener.close()
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            reason = "is taken" if error.errno == errno.EADDRINUSE else "may not be used"
            raise StartError(f"the port {port} {reason}: choose another with PORT=... (--port)") from None
        raise
    return reserved
