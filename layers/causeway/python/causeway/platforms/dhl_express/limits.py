"""Rate limits of DHL Express, whose headers tell nothing."""

from collections.abc import Mapping
from typing import Any

from causeway.platforms.kinds.limits import SILENT, Signal

# Seconds.
_BETWEEN_CALLS = 5.0


def read_limits(status: int, headers: Mapping[str, str], content: Any) -> Signal:
    """Return the wait of a 429: the start limit is one call in 5 s."""
    return Signal(wait=_BETWEEN_CALLS) if status == 429 else SILENT
