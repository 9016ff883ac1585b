"""What an answer tells of the platform's rate limits, by the general headers and the platform's own."""

from dataclasses import replace

from causeway.outbound import waits
from causeway.outbound.replies import Reply
from causeway.platforms.kinds.limits import SILENT, LimitReader, Signal

_TOO_MANY_REQUESTS = 429
# From here on, the platform failed.
_FIRST_FAILURE = 500


def read(reply: Reply, reader: LimitReader | None, *, throttled: bool = False) -> Signal:
    """Return what an answer tells; where several waits are told, the longest counts.

    The wait of a 503, or of another 5xx, is a pause of this call: the platform is unavailable, which is no limit of the
    connection.

    Args:
        reply: the answer.
        reader: of the platform's own headers and errors, if it has one.
        throttled: the platform's own error says that a limit is reached.
    """
    told = SILENT if reader is None else reader.read_limits(reply.status, reply.headers, reply.json())
    limited = throttled or told.throttled or reply.status == _TOO_MANY_REQUESTS
    wait = _longest(told.wait, waits.asked(reply.headers, throttled=limited))
    paused = not limited and reply.status >= _FIRST_FAILURE
    pause = waits.asked(reply.headers, throttled=True) if paused else None
    return replace(told, wait=wait, pause=_longest(told.pause, pause))


def _longest(first: float | None, second: float | None) -> float | None:
    told = [seconds for seconds in (first, second) if seconds is not None]
    return min(max(told), waits.LONGEST) if told else None
