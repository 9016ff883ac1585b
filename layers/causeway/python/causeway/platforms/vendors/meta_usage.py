"""Rate limits of Meta's Graph API, which Facebook, Instagram, WhatsApp Business and Facebook Ads share."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from causeway.outbound import waits
from causeway.platforms.account_details import value_at
from causeway.platforms.kinds.limits import SILENT, Signal

# The share of a limit, in percent, from which on calls are refused.
_USED_UP = 100
# Seconds to wait where a limit of the rolling hour is used up and no end is told. Refused calls count too, so a shorter
# wait would lengthen the refusal.
_UNTOLD = 300.0
# Headers with percentages and no time.
_PERCENTAGES = ("X-App-Usage", "X-Page-Usage", "x-fb-ads-insights-throttle")
_CALL_FIELDS = ("call_count", "total_time", "total_cputime")
_PERCENT_FIELDS = (*_CALL_FIELDS, "app_id_util_pct", "acc_id_util_pct")
# The percentages among them that count the calls of all users of the app.
_OF_APP = {"X-App-Usage": _CALL_FIELDS, "x-fb-ads-insights-throttle": ("app_id_util_pct",)}
# The code of an error of the app's limit.
_APP_CODE = 4
# Codes of errors of limits of the rolling hour, beside 80000 to 80014.
_HOURLY = frozenset((4, 17, 32, 341, 613))


def read_limits(status: int, headers: Mapping[str, str], content: Any) -> Signal:
    """Return the longest wait that the usage headers and the error tell.

    The headers come with successes, too. https://developers.facebook.com/docs/graph-api/overview/rate-limiting,
    https://developers.facebook.com/docs/marketing-api/overview/rate-limiting
    """
    told = [*_of_percentages(headers), *_of_business(headers), *_of_ad_account(headers)]
    if not told and not 200 <= status < 300 and _is_hourly(value_at(content, ["error", "code"])):
        told.append(_UNTOLD)
    if not told:
        return SILENT
    return Signal(wait=max(told), remaining=0, app_wait=_UNTOLD if _is_of_app(status, headers, content) else None)


def _is_of_app(status: int, headers: Mapping[str, str], content: Any) -> bool:
    """Return whether the limit that all users of the app share is used up."""
    used_up = any(_is_used_up(_json(headers, name), fields) for name, fields in _OF_APP.items())
    return used_up or (not 200 <= status < 300 and value_at(content, ["error", "code"]) == _APP_CODE)


def _of_percentages(headers: Mapping[str, str]) -> Iterator[float]:
    for name in _PERCENTAGES:
        if _is_used_up(_json(headers, name)):
            yield _UNTOLD


def _of_business(headers: Mapping[str, str]) -> Iterator[float]:
    """Yield the waits of X-Business-Use-Case-Usage, which has several ids, each with several uses, and minutes."""
    usage = _json(headers, "X-Business-Use-Case-Usage")
    for uses in usage.values() if isinstance(usage, dict) else ():
        for use in uses if isinstance(uses, list) else ():
            minutes = _number(value_at(use, ["estimated_time_to_regain_access"]))
            if minutes:
                yield minutes * 60
            elif _is_used_up(use):
                yield _UNTOLD


def _of_ad_account(headers: Mapping[str, str]) -> Iterator[float]:
    """Yield the wait of X-Ad-Account-Usage, which tells seconds, also where calls are left."""
    usage = _json(headers, "X-Ad-Account-Usage")
    if _is_used_up(usage):
        yield _number(value_at(usage, ["reset_time_duration"])) or _UNTOLD


def _is_used_up(usage: Any, fields: Sequence[str] = _PERCENT_FIELDS) -> bool:
    return any(_number(value_at(usage, [name])) >= _USED_UP for name in fields)


def _is_hourly(code: Any) -> bool:
    return isinstance(code, int) and (code in _HOURLY or 80000 <= code <= 80014)


def _json(headers: Mapping[str, str], name: str) -> Any:
    try:
        return json.loads(headers.get(name, ""))
    except (ValueError, RecursionError):
        return None


def _number(value: Any) -> float:
    """Return a number of an answer, from 0 to the longest wait; 0 if it is none."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return 0.0
    # An integer of a thousand digits is no float, and NaN is not above 0.
    return float(min(value, waits.LONGEST)) if value > 0 else 0.0
