"""`make demo`: plays the scripted round through HTTP on a new local stack, then makes and tests a connection."""

import signal
import sys
from collections.abc import Generator
from contextlib import contextmanager
from threading import Event, Thread

from local import stopping
from local.errors import StartError
from local.temporary_folders import temporary_folder

_TICK_SECONDS = 4


def main() -> int:
    """Run the demo; returns 0 only if all nine balances and every answer are as expected."""
    try:
        status = stopping.until_stopped(_play)
    except StartError as error:
        print(error, file=sys.stderr)
        return 1
    return 128 + signal.SIGINT if status is None else status


def _play() -> int:
    from local.demo import connections, game
    from local.stack import Stack

    with (
        temporary_folder("causeway-demo") as folder,
        Stack(state_folder=folder, progress=lambda line: print(line, flush=True)) as stack,
    ):
        print(f"POST {stack.base_url}{game.PATH}", flush=True)
        with _ticking("playing the round"):
            report = game.play(stack)
        with _ticking("connecting to the sandbox"):
            steps, authorized = connections.play(stack), connections.authorize(stack)
            proxied = connections.proxy(stack)
    shown = [
        game.show(report),
        connections.show(
            steps, "A connection to the sandbox's Twilio: made, tested, a wrong token refused, other callers refused"
        ),
        connections.show(authorized, "A connection to the sandbox's Google Analytics, authorized by OAuth"),
        connections.show(proxied, "The sandbox's Stripe, called through the proxy"),
    ]
    return 0 if all(shown) else 1


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
