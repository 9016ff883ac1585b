"""The demo's first part: plays the scripted round of bets and a payout, and compares each balance."""

import json
import urllib.request
from typing import Any

from local.services.demo_data import STARTING_BALANCE
from local.stack import Stack

PATH = "/casino/simulateRound"

# The balance in minor units after each step of the scripted round.
EXPECTED = (1_000_000, 999_000, 998_000, 999_000, 1_001_000, 1_001_000, 1_001_000, 1_001_000, 1_001_000)


def play(stack: Stack) -> dict[str, Any]:
    """Play the round through the API of a running stack; returns its report."""
    body = json.dumps({"userId": 1, "gameId": 1}).encode()
    request = urllib.request.Request(f"{stack.base_url}{PATH}", body, {"content-type": "application/json"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
        return json.load(response)


def show(report: dict[str, Any]) -> bool:
    """Print the steps; returns whether every balance and every answer is as expected."""
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
