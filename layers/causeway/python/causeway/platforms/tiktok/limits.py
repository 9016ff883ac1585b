"""Rate limits of TikTok that its statuses do not show."""

from collections.abc import Mapping
from typing import Any

from causeway.platforms.account_details import value_at
from causeway.platforms.kinds.limits import Signal

# A list: a code of the answer may be of any type, also one that cannot be hashed.
_DAY_CAPS = ["spam_risk_too_many_posts", "reached_active_user_cap"]
# Of the Business API, which answers with status 200.
_BUSINESS = 40100


def read_limits(status: int, headers: Mapping[str, str], content: Any) -> Signal:
    """Return the throttling of a 403 and of a 200: https://developers.tiktok.com/doc/tiktok-api-v2-error-handling.

    A person's cap for the day refuses posts only, so no wait is told: the account's other calls go on.
    """
    if status == 403 and value_at(content, ["error", "code"]) in _DAY_CAPS:
        return Signal(throttled=True, retry=False)
    return Signal(throttled=value_at(content, ["code"]) == _BUSINESS)
