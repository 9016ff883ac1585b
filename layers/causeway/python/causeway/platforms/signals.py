"""What an answer tells of the platform's rate limits, by the general headers and the platform's own."""

from dataclasses import replace

from causeway.outbound import waits
from causeway.outbound.replies import Reply
from causeway.platforms.kinds.limits import SILENT, LimitReader, Signal

# Statuses whose Retry-After and reset are about this call: too many requests, and unavailable.
_BUSY = frozenset((429, 503))


def read(reply: Reply, reader: LimitReader | None) -> Signal:
    """Return what an answer tells; where several waits are told, the longest counts.

    Args:
        reply: the answer.
        reader: of the platform's own headers and errors, if it has one.
    """
    told = SILENT if reader is None else reader.read_limits(reply.status, reply.headers, reply.json())
    asked = waits.asked(reply.headers, throttled=told.throttled or reply.status in _BUSY)
    both = [seconds for seconds in (told.wait, asked) if seconds is not None]
    return replace(told, wait=min(max(both), waits.LONGEST) if both else None)
