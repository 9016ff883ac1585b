"""Rate limits of SendGrid, whose headers tell the end of the window in epoch seconds."""

from collections.abc import Mapping
from typing import Any

from causeway.outbound import waits
from causeway.platforms.kinds.limits import SILENT, Signal


def read_limits(status: int, headers: Mapping[str, str], content: Any) -> Signal:
    """Return the wait until the window ends, 1 s at least: their clock and ours may differ.

    https://www.twilio.com/docs/sendgrid/api-reference/how-to-use-the-sendgrid-v3-api/rate-limits
    """
    if status != 429 and headers.get("X-RateLimit-Remaining") != "0":
        return SILENT
    left = waits.until(headers.get("X-RateLimit-Reset", ""))
    return SILENT if left is None else Signal(wait=max(left, 1.0), remaining=0)
