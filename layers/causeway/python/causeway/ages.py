"""The age of a cached value, by two clocks: Lambda may freeze the execution environment between two requests.

Public reports say that the monotonic clock stands still while an environment is frozen: a value that is hours old would
look new. The wall clock goes on, but may be set back. So the clock that counted more decides, and a value is too old if
the wall clock went back since it was read.
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

# A moment before all others: a value read then is older than any limit.
NEVER = Moment(-inf, -inf)


def now() -> Moment:
    """Return the present."""
    return Moment(monotonic(), time())


def age(since: Moment, at: Moment) -> float:
    """Return the seconds from one moment to another, by the clock that counted more.

    Args:
        since: the earlier moment; NEVER gives inf.
        at: the later moment.

    Returns:
        The seconds; inf if the wall clock went back.
    """
    if at.wall < since.wall:
        return inf
    return max(at.monotonic - since.monotonic, at.wall - since.wall)
