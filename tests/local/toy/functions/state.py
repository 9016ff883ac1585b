"""Functions that show what an execution environment keeps between requests."""

import os
import threading
import time
from pathlib import Path
from typing import Any

_COUNTED = 0
_TICKS: list[float] = []


def count(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Return how many requests this process has handled."""
    global _COUNTED
    _COUNTED += 1
    return {"count": _COUNTED, "pid": os.getpid()}


def ticks(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Return how often a thread of this process has run, which runs ten times a second."""
    if not _TICKS:
        _TICKS.append(time.monotonic())
        threading.Thread(target=_tick, daemon=True).start()
    return {"ticks": len(_TICKS), "pid": os.getpid()}


def _tick() -> None:
    while True:
        time.sleep(0.1)
        _TICKS.append(time.monotonic())


def meet(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Wait until another request has reached the same place."""
    place = Path(event["queryStringParameters"]["place"])
    (place / str(os.getpid())).touch()
    while len(list(place.iterdir())) < 2:
        time.sleep(0.01)
    return {"pid": os.getpid()}
