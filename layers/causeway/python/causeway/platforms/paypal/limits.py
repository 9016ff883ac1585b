"""Rate limits of PayPal."""

from collections.abc import Mapping
from typing import Any

from causeway.outbound import waits
from causeway.platforms.kinds.limits import SILENT, Signal

# Seconds.
_USUAL_WAIT = 30.0


def read_limits(status: int, headers: Mapping[str, str], content: Any) -> Signal:
    """Return the wait of PayPal's sample where a 429 tells none: https://developer.paypal.com/api/rate-limiting."""
    told = waits.asked(headers, throttled=True)
    return Signal(wait=_USUAL_WAIT) if status == 429 and told is None else SILENT
