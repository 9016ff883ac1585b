"""Processes that repeat one call, like execution environments, and count the calls."""

import multiprocessing
import time
from collections.abc import Callable
from typing import Any

# Called once in each worker with one argument; returns the function to repeat.
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
    """Return the calls per second of all processes together.

    Args:
        setup: importable; called once in each process.
        argument: of setup.
        processes: their number.
        seconds: of counting, after all processes are ready.
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
