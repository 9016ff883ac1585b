"""`make demo`: plays the scripted round through HTTP on a new local stack, then makes and tests a connection."""

import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

from local.demo import connections, game
from local.errors import StartError
from local.stack import Stack

_TICK_SECONDS = 4


def main() -> int:
    """Run the demo; returns 0 only if all nine balances and every answer are as expected."""
    with tempfile.TemporaryDirectory(prefix="causeway-demo-") as folder:
        try:
            with Stack(state_folder=Path(folder), progress=lambda line: print(line, flush=True)) as stack:
                print(f"POST {stack.base_url}{game.PATH}", flush=True)
                with _ticking("playing the round"):
                    report = game.play(stack)
                with _ticking("connecting to the sandbox"):
                    steps = connections.play(stack)
        except StartError as error:
            print(error, file=sys.stderr)
            return 1
    played, connected = game.show(report), connections.show(steps)
    return 0 if played and connected else 1


@contextmanager
def _ticking(doing: str) -> Generator[None]:
    """Print every few seconds that the block still runs."""
    ended = Event()

    def tick() -> None:
        while not ended.wait(_TICK_SECONDS):
            print(f"still {doing}", flush=True)

    ticker = Thread(target=tick, daemon=True)
    ticker.start()
    try:
        yield
    finally:
        ended.set()
        ticker.join()


if __name__ == "__main__":
    sys.exit(main())
