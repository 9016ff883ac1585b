"""Ages of what is kept over calls, by two clocks.

Public reports say that the monotonic clock stands still while Lambda has an execution environment frozen: something
read just before would stay new for hours. The wall clock goes on, but may be set back. So the clock that counted more
decides, and what was kept before the wall clock went back is too old.
"""

from collections.abc import Callable
from math import inf
from time import monotonic, time
from typing import NamedTuple


class Moment(NamedTuple):
    """A moment by both clocks, in seconds."""

    monotonic: float
    wall: float


Clock = Callable[[], Moment]

# Before every moment: what has this for its time is older than any limit.
NEVER = Moment(-inf, -inf)


def now() -> Moment:
    """Return the present."""
    return Moment(monotonic(), time())


def age(since: Moment, at: Moment) -> float:
    """Return the seconds from one moment to another by the clock that counted more; inf where the wall clock went back.

    Args:
        since: the earlier moment; NEVER gives inf.
        at: the later moment.
    """
    if at.wall < since.wall:
        return inf
    return max(at.monotonic - since.monotonic, at.wall - since.wall)
