"""The seconds that an answer asks its caller to wait, read from its headers."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from math import isfinite
from time import time

# The longest wait in seconds that is believed: the longest window of a rate limit is a month.
LONGEST = 31 * 24 * 3600.0

# A number from here on is a time, in seconds since 1970; a smaller one is a number of seconds.
_FIRST_TIME = 1_000_000_000.0
# From here on it is in milliseconds.
_FIRST_MILLISECONDS = 100 * _FIRST_TIME
_NUMBER = re.compile(r"[0-9]{1,15}(\.[0-9]{1,9})?")
# Parameters of one item of the header RateLimit: r is what remains, t the seconds until the reset.
_PARAMETER = re.compile(r";\s*([rt])\s*=\s*([0-9]{1,15})")
_REMAINING = ("X-RateLimit-Remaining", "X-Rate-Limit-Remaining", "RateLimit-Remaining")
_RESET = ("X-RateLimit-Reset", "X-Rate-Limit-Reset", "RateLimit-Reset")


def asked(headers: Mapping[str, str], *, throttled: bool) -> float | None:
    """Return the longest wait that an answer asks for, in seconds; None if it asks for none.

    Read are Retry-After (RFC 9110, 10.2.3), RateLimit (draft-ietf-httpapi-ratelimit-headers), and the headers
    X-RateLimit-Reset and X-RateLimit-Remaining that many platforms send.

    Args:
        headers: of the answer; a mapping that ignores the case of names.
        throttled: the answer refuses the call: then a reset counts although calls may remain, and Retry-After is read.
            With other answers Retry-After is about one object, such as a job to look at later (202) or a page that
            moved (301).
    """
    waits = (
        retry_after(headers.get("Retry-After", "")) if throttled else None,
        _by_reset(headers, throttled=throttled),
        _by_draft(headers.get("RateLimit", ""), throttled=throttled),
    )
    return max((wait for wait in waits if wait is not None), default=None)


def retry_after(value: str) -> float | None:
    """Return the seconds of a Retry-After, which is a number or a date; 0 for a date in the past, None if neither."""
    if _NUMBER.fullmatch(value):
        return min(float(value), LONGEST)
    try:
        until = parsedate_to_datetime(value)
        left = (until - datetime.now(UTC)).total_seconds()
    # A date without a zone cannot be compared; a date out of range overflows.
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(left, 0.0), LONGEST)


def until(reset: str) -> float | None:
    """Return the seconds until a reset, which is a time since 1970 in seconds or milliseconds, or a number of seconds.

    Returns:
        0 for a time in the past; None for another text.
    """
    if not _NUMBER.fullmatch(reset):
        return None
    value = float(reset)
    if value >= _FIRST_MILLISECONDS:
        value /= 1000
    left = value - time() if value >= _FIRST_TIME else value
    return min(max(left, 0.0), LONGEST) if isfinite(left) else None


def until_midnight(hours: int = 0) -> float:
    """Return the seconds until the next midnight.

    Args:
        hours: of the place's clock ahead of UTC; negative in America.
    """
    now = datetime.now(timezone(timedelta(hours=hours)))
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return (midnight - now).total_seconds()


def _by_reset(headers: Mapping[str, str], *, throttled: bool) -> float | None:
    remaining = next((headers[name] for name in _REMAINING if name in headers), None)
    if not throttled and remaining != "0":
        return None
    reset = next((headers[name] for name in _RESET if name in headers), "")
    return until(reset)


def _by_draft(value: str, *, throttled: bool) -> float | None:
    waits = []
    for item in value.split(","):
        parameters = dict(_PARAMETER.findall(item))
        if "t" in parameters and (throttled or parameters.get("r") == "0"):
            waits.append(min(float(parameters["t"]), LONGEST))
    return max(waits, default=None)
