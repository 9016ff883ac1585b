"""Rate limits of LinkedIn, whose headers tell nothing."""

from collections.abc import Mapping
from typing import Any

from causeway.outbound import waits
from causeway.platforms.account_details import value_at
from causeway.platforms.kinds.limits import SILENT, Signal

# Seconds.
_OVERLOADED = 60.0


def read_limits(status: int, headers: Mapping[str, str], content: Any) -> Signal:
    """Return the wait of a 429: until midnight UTC if the day's calls are used up, otherwise a minute.

    https://learn.microsoft.com/linkedin/shared/api-guide/concepts/rate-limits
    """
    if status != 429:
        return SILENT
    message = value_at(content, ["message"])
    is_used_up = isinstance(message, str) and "Resource level" in message
    return Signal(wait=waits.until_midnight() if is_used_up else _OVERLOADED)
