"""Rate limits of FedEx, whose headers tell nothing."""

import re
from collections.abc import Mapping
from typing import Any

from causeway.outbound import waits
from causeway.platforms.account_details import value_at
from causeway.platforms.kinds.limits import SILENT, Signal

_DAY = re.compile(r"daily|12:00\s?AM GMT", re.IGNORECASE)
# Seconds.
_WINDOW = 10.0


def read_limits(status: int, headers: Mapping[str, str], content: Any) -> Signal:
    """Return the wait of a 429: until midnight GMT if the day's quota is used up, otherwise the window of 10 s.

    https://developer.fedex.com/api/en-us/guides/ratelimits.html
    """
    if status != 429:
        return SILENT
    errors = value_at(content, ["errors"])
    messages = [value_at(error, ["message"]) for error in errors] if isinstance(errors, list) else []
    is_day = any(isinstance(message, str) and _DAY.search(message) for message in messages)
    return Signal(wait=waits.until_midnight() if is_day else _WINDOW)
