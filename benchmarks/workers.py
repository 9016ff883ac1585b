"""Processes that do one thing over and over, as execution environments would, and count."""

import multiprocessing
import time
from collections.abc import Callable
from typing import Any

# Set up in the worker from one argument; returns what is then called again and again.
Setup = Callable[[Any], Callable[[], None]]


def _work(setup: Setup, argument: Any, ready: Any, seconds: float, counts: Any) -> None:
    once = setup(argument)
    once()
    ready.wait()
    end = time.monotonic() + seconds
    count = 0
    while time.monotonic() < end:
        once()
        count += 1
    counts.put(count)


def rate(setup: Setup, argument: Any, processes: int, seconds: float) -> float:
    """Return how many calls a second so many processes made together.

    Args:
        setup: importable; run once in each process.
        argument: what setup is given.
        processes: how many.
        seconds: for how long they count, after all are ready.
    """
    context = multiprocessing.get_context("spawn")
    ready, counts = context.Barrier(processes), context.Queue()
    workers = [
        context.Process(target=_work, args=(setup, argument, ready, seconds, counts), daemon=True)
        for _ in range(processes)
    ]
    for worker in workers:
        worker.start()
    total = sum(counts.get(timeout=seconds + 120) for _ in workers)
    for worker in workers:
        worker.join()
    return total / seconds
