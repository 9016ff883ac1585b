"""Run the sandbox until it is stopped: `python -m local.sandbox --port 8099`."""

import argparse
import asyncio
from pathlib import Path

from local.sandbox.registry import FOLDER
from local.sandbox.server import Server


async def _run(platforms: Path, address: str, port: int) -> None:
    server = Server(platforms)
    listening = await server.listen(address, port)
    print(f"the sandbox listens on http://{address}:{listening}", flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        await server.close()


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(prog="python -m local.sandbox", description=__doc__)
    parser.add_argument("--address", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--platforms", type=Path, default=FOLDER, help="folder of the platforms' files")
    arguments = parser.parse_args()
    asyncio.run(_run(arguments.platforms, arguments.address, arguments.port))


if __name__ == "__main__":
    main()
