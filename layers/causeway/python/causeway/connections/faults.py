"""What an attempt of a call shows of its platform: the circuit breaker counts faults."""

from collections.abc import Sequence

from causeway.outbound.attempts import Attempt

# Statuses of a platform that is broken or overloaded; also those from _FIRST_OF_EDGES on, which servers before it give.
# 501, 505 and 511 answer the request or the way: a caller could cause them with any path or method.
_BROKEN = frozenset((500, 502, 503, 504))
_FIRST_OF_EDGES = 520
# Failures that show a fault of the platform or of the way to it.
_FAULTS = frozenset(("ConnectFailed", "DnsFailed", "DnsUnavailable", "Garbled", "TimedOut", "TlsFailed"))
# Failures to take an answer that the platform gave.
_ANSWERED = frozenset(("TooLarge",))


def shown_by(attempt: Attempt) -> bool | None:
    """Return whether an attempt shows a fault of the platform.

    Returns:
        False: the platform works. None: it shows neither: nothing was sent to the platform itself.
    """
    if attempt.for_token:
        return None
    if attempt.status is not None:
        return attempt.status in _BROKEN or attempt.status >= _FIRST_OF_EDGES
    if attempt.error in _FAULTS:
        return True
    return False if attempt.error in _ANSWERED else None


def last_shown(attempts: Sequence[Attempt]) -> bool | None:
    """Return what the last attempt shows that shows anything; None: none does."""
    shown = [fault for fault in map(shown_by, attempts) if fault is not None]
    return shown[-1] if shown else None
