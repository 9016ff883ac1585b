"""`make demo`: plays the scripted round through HTTP on a new local stack, then makes and tests a connection."""

import json
import sys
import tempfile
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

from local.demo import connections
from local.errors import StartError
from local.services.demo_data import STARTING_BALANCE
from local.stack import Stack

# The balance in minor units after each step of the scripted round.
EXPECTED = (1_000_000, 999_000, 998_000, 999_000, 1_001_000, 1_001_000, 1_001_000, 1_001_000, 1_001_000)

_TICK_SECONDS = 4


def main() -> int:
    """Run the demo; returns 0 only if all nine balances and every answer are as expected."""
    with tempfile.TemporaryDirectory(prefix="causeway-demo-") as folder:
        try:
            with Stack(port=0, state_folder=Path(folder), progress=lambda line: print(line, flush=True)) as stack:
                print(f"POST {stack.base_url}/casino/simulateRound", flush=True)
                with _ticking("playing the round"):
                    report = _post(f"{stack.base_url}/casino/simulateRound", {"userId": 1, "gameId": 1})
                with _ticking("connecting to the sandbox"):
                    connection = connections.play(stack)
        except StartError as error:
            print(error, file=sys.stderr)
            return 1
    balances, connected = _show(report), connections.show(connection)
    return 0 if balances and connected else 1


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


def _post(url: str, body: dict[str, Any]) -> dict[str, Any]:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"content-type": "application/json"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
        return json.load(response)


def _show(report: dict[str, Any]) -> bool:
    print(f"\nStarting balance: {STARTING_BALANCE:,} cents\n")
    print(f"{'Step':<5}{'Action':<28}{'Amount':>8}{'Status':>8}{'Balance due':>14}{'Balance':>12}")
    agreed = 0
    for step, expected in zip(report["steps"], EXPECTED, strict=True):
        actual = int(step["balance"])
        agreed += actual == expected
        print(
            f"{step['step']:<5}{step['action']:<28}{step['amount']:>+8,}{step['status']:>8}{expected:>14,}{actual:>12,}"
            f"  {'ok' if actual == expected else 'DIFFERS'}"
        )
    as_shown = "yes" if report["success"] else "NO"
    print(f"\n{agreed} of {len(EXPECTED)} balances agree; every answer as specified: {as_shown}")
    return agreed == len(EXPECTED) and bool(report["success"])


if __name__ == "__main__":
    sys.exit(main())
