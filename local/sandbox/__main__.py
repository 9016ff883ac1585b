"""Runs the sandbox until it is ended: `python -m local.sandbox --port 8099`."""

import argparse
import asyncio

from local.sandbox.server import Server


async def _run(address: str, port: int) -> None:
    server = Server()
    listening = await server.listen(address, port)
    print(f"the sandbox listens on http://{address}:{listening}", flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        await server.close()


def main() -> None:
    """Reads the arguments and serves."""
    parser = argparse.ArgumentParser(prog="python -m local.sandbox", description=__doc__)
    parser.add_argument("--address", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    arguments = parser.parse_args()
    asyncio.run(_run(arguments.address, arguments.port))


if __name__ == "__main__":
    main()
