"""Limits of one invocation: how large its payload may be, and how long a caller waits for it."""

import asyncio
from collections.abc import Coroutine
from typing import Any

PAYLOAD_LIMIT = 6 * 1024 * 1024  # bytes of an event or a result; Lambda quotas (gettingstarted-limits)


async def within(seconds: float, work: Coroutine[Any, Any, bytes]) -> bytes:
    """Return the result of an invocation; raises TimeoutError after so many seconds, while the function goes on."""
    running = asyncio.ensure_future(work)
    done, _ = await asyncio.wait((running,), timeout=seconds)
    if not done:
        running.add_done_callback(_retrieve)
        raise TimeoutError
    return running.result()


def _retrieve(future: asyncio.Future[bytes]) -> None:
    """Retrieve the exception of an abandoned invocation: otherwise asyncio logs that it was never retrieved."""
    if not future.cancelled():
        future.exception()
