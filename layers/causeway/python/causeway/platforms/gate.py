"""The check before each attempt.

It is a Protocol, because rate limits and circuit breakers are in wings on higher floors.
"""

from typing import Protocol

from causeway.platforms.kinds.limits import Signal


class Gate(Protocol):
    """Asked before each attempt of a call, and told what the answer shows of the platform's limits."""

    def admit(self) -> None:
        """Let one attempt pass, and count it.

        Raises:
            RateLimitExceeded: a limit has no call left.
            CircuitOpen: the platform failed often, and is left alone for a while.
        """

    def learn(self, signal: Signal) -> None:
        """Take what an answer tells of the platform's limits."""


class OpenGate:
    """Lets every attempt pass and counts nothing: for an account that belongs to no connection."""

    def admit(self) -> None:
        """Let the attempt pass."""

    def learn(self, signal: Signal) -> None:
        """Forget it."""
