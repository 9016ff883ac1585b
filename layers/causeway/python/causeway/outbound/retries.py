"""When a call is tried again, and how long to wait before: pure rules, which know no platform."""

import random
from typing import Literal

from causeway.outbound import failures
from causeway.outbound.failures import CallFailed

# What a second request of the same call does. "repeatable": nothing more than the first (RFC 9110, 9.2.2). "keyed": the
# platform knows it by its idempotency key. "once": the same again.
Repetition = Literal["repeatable", "keyed", "once"]
# How an answer ends an attempt. "busy": the platform refuses it because of a limit. "unprocessed": the same, and the
# platform documents that it did nothing. "broken": a fault inside the platform. "final": any other answer.
Ending = Literal["busy", "unprocessed", "broken", "final"]

# Attempts of a call.
MOST_ATTEMPTS = 4
# The waits grow from the first to the longest, in seconds.
_FIRST_WAIT = 0.5
_LONGEST_WAIT = 8.0
# Seconds that are added to an asked wait, at least.
_LEAST_JITTER = 0.1

_REPEATABLE_METHODS = frozenset(("GET", "HEAD", "OPTIONS", "PUT", "DELETE"))
# Failures that the next attempt may not meet.
_PASSING = (failures.ConnectFailed, failures.DnsUnavailable, failures.Garbled)
_random = random.SystemRandom()


def repetition_of(method: str) -> Repetition:
    """Return what a second request with a method does, if nothing more is known of the call."""
    return "repeatable" if method.upper() in _REPEATABLE_METHODS else "once"


def may_repeat_failure(failure: CallFailed, repetition: Repetition) -> bool:
    """Return whether a call that got no answer may be tried again.

    A call that must not be done twice is tried again only if the platform got no byte of it. A call that ran into its
    time limit has no time left.
    """
    return isinstance(failure, _PASSING) and (repetition != "once" or not failure.sent)


def may_repeat(ending: Ending, repetition: Repetition) -> bool:
    """Return whether a call that was answered may be tried again."""
    return ending == "unprocessed" or (ending in ("busy", "broken") and repetition != "once")


def backoff(attempt: int) -> float:
    """Return a wait in seconds after an attempt: random from 0 to a limit that doubles ("full jitter").

    See https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/.

    Args:
        attempt: its number, from 1.
    """
    return _random.uniform(0, min(_FIRST_WAIT * 2 ** (attempt - 1), _LONGEST_WAIT))


def wait(attempt: int, asked: float | None) -> float:
    """Return the seconds to wait after an attempt: the backoff, or longer if the platform asks for a longer wait.

    Callers that were asked to wait equally long come back at different moments, and not before the platform's clock,
    which may be behind ours, has passed the end.
    """
    own = backoff(attempt)
    return own if asked is None else max(max(asked, 0.0) + _random.uniform(_LEAST_JITTER, _FIRST_WAIT), own)
