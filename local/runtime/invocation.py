"""Waiting for a function no longer than API Gateway does."""

import asyncio
from collections.abc import Coroutine
from typing import Any


async def within(seconds: float, work: Coroutine[Any, Any, bytes]) -> bytes:
    """The result of an invocation; TimeoutError after so many seconds, while the function goes on."""
    running = asyncio.ensure_future(work)
    done, _ = await asyncio.wait((running,), timeout=seconds)
    if not done:
        running.add_done_callback(_look_at)
        raise TimeoutError
    return running.result()


def _look_at(future: asyncio.Future[bytes]) -> None:
    """Takes note of a result nobody waits for, so that asyncio does not complain of it."""
    if not future.cancelled():
        future.exception()
