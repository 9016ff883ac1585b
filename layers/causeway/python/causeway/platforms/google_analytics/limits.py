"""Rate limits of Google Analytics: the error's text, or the property's quotas in an answer, tell which is used up."""

from collections.abc import Mapping
from typing import Any

from causeway.outbound import waits
from causeway.platforms.account_details import value_at
from causeway.platforms.kinds.limits import SILENT, Signal

# Seconds.
_HOUR, _MINUTE, _CONCURRENT = 3600.0, 60.0, 2.0
# The day's quotas begin anew at midnight Pacific time. Standard time is used all year, as a function has no time zones:
# in summer the wait is an hour too long.
_PACIFIC_HOURS = -8
# Reasons of the Admin API's 403, which is a missing right without them.
_QUOTA_REASONS = ("rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded")
# Characters of a text that are searched for the quota's name.
_MOST_READ = 1000


def read_limits(status: int, headers: Mapping[str, str], content: Any) -> Signal:
    """Return the wait until the quota that is used up begins anew.

    https://developers.google.com/analytics/devguides/reporting/data/v1/quotas,
    https://developers.google.com/analytics/devguides/config/admin/v1/quotas
    """
    if status >= 500:
        # Ten server errors in an hour close the property for an hour, and each attempt may be one of them.
        return Signal(retry=False)
    if status == 429 or (status == 403 and _is_of_quota(content)):
        message = value_at(content, ["error", "message"])
        text = message[:_MOST_READ].lower() if isinstance(message, str) else ""
        return Signal(wait=_wait(text), throttled=True, remaining=0)
    told = [_wait(_words(name)) for name in _used_up(value_at(content, ["propertyQuota"]))]
    return Signal(wait=max(told), remaining=0) if told else SILENT


def _wait(text: str) -> float:
    """Return the seconds to wait, by words that name the quota."""
    if "per day" in text:
        return waits.until_midnight(_PACIFIC_HOURS)
    if "per hour" in text:
        return _HOUR
    return _CONCURRENT if "concurrent" in text else _MINUTE


def _words(name: str) -> str:
    """Return the words of a quota's name: tokensPerDay is "tokens per day"."""
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name[:_MOST_READ])


def _used_up(quotas: Any) -> list[str]:
    """Return the names of the quotas that have nothing left. Google leaves out a field whose value is 0."""
    named = quotas.items() if isinstance(quotas, dict) else ()
    return [name for name, quota in named if isinstance(quota, dict) and quota and not quota.get("remaining")]


def _is_of_quota(content: Any) -> bool:
    errors = value_at(content, ["error", "errors"])
    reasons = [value_at(error, ["reason"]) for error in errors] if isinstance(errors, list) else []
    is_exhausted = value_at(content, ["error", "status"]) == "RESOURCE_EXHAUSTED"
    return is_exhausted or any(reason in _QUOTA_REASONS for reason in reasons)
