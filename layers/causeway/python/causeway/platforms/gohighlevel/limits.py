"""Rate limits of GoHighLevel, whose headers tell the calls that are left but no reset."""

import re
from collections.abc import Mapping
from typing import Any

from causeway.outbound import waits
from causeway.platforms.kinds.limits import SILENT, Signal

# Seconds.
_HOUR = 3600.0
_INTERVAL = 10.0
_MILLISECONDS = re.compile(r"[0-9]{1,9}")


def read_limits(status: int, headers: Mapping[str, str], content: Any) -> Signal:
    """Return the wait where an interval or the day has no call left.

    https://github.com/GoHighLevel/highlevel-api-docs, docs/oauth/Authorization.md. The start of the day is not known:
    one call in an hour finds out.
    """
    if headers.get("X-RateLimit-Daily-Remaining") == "0":
        return Signal(wait=_HOUR, remaining=0)
    # It documents no time of a reset; something before it that tells one knows better.
    if headers.get("X-RateLimit-Remaining") != "0" or waits.asked(headers, throttled=status == 429) is not None:
        return SILENT
    milliseconds = headers.get("X-RateLimit-Interval-Milliseconds", "")
    interval = int(milliseconds) / 1000 if _MILLISECONDS.fullmatch(milliseconds) else _INTERVAL
    return Signal(wait=interval, remaining=0)
