"""Rate limits of Twilio: the number of calls at the same time."""

from collections.abc import Mapping
from typing import Any

from causeway.platforms.account_details import value_at
from causeway.platforms.kinds.limits import SILENT, Signal

_TOO_MANY = 20429


def read_limits(status: int, headers: Mapping[str, str], content: Any) -> Signal:
    """Return that a request refused with 20429 was not processed: https://www.twilio.com/docs/api/errors/20429.

    No wait is told: another call may end at any moment.
    """
    return Signal(unprocessed=True) if status == 429 and value_at(content, ["code"]) == _TOO_MANY else SILENT
