"""What an answer asks its caller to wait (HUB 10)."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from time import time

import pytest
from requests.structures import CaseInsensitiveDict

from causeway.outbound import waits


def asked(throttled: bool = True, **headers: str) -> float | None:
    return waits.asked(
        CaseInsensitiveDict({name.replace("_", "-"): value for name, value in headers.items()}), throttled=throttled
    )


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("0", 0), ("7", 7), ("1.5", 1.5), ("99999999999", waits.LONGEST), ("Wed, 21 Oct 2015 07:28:00 GMT", 0)],
)
def test_retry_after_in_seconds_or_as_a_date_in_the_past(value: str, seconds: float) -> None:
    assert asked(Retry_After=value) == seconds


def test_retry_after_of_an_answer_that_refuses_nothing_is_no_wait() -> None:
    """A job to look at later (202) and a page that moved (301) have one, too."""
    assert asked(throttled=False, Retry_After="3600") is None
    assert asked(throttled=False, Retry_After="3600", X_RateLimit_Remaining="0", X_RateLimit_Reset="5") == 5


def test_retry_after_as_a_date_to_come() -> None:
    wait = asked(Retry_After=format_datetime(datetime.now(UTC) + timedelta(seconds=40), usegmt=True))

    assert wait is not None
    assert 35 < wait <= 40


@pytest.mark.parametrize(
    "value",
    ["", "soon", "-1", "1e3", "\u0661", "NaN", "inf", "Wed, 21 Oct 2015 07:28:00", "Wed, 99 Oct 99999 07:28:00 GMT"],
)
def test_unreadable_retry_after_asks_for_nothing(value: str) -> None:
    assert asked(Retry_After=value) is None


def test_reset_is_a_time_or_a_number_of_seconds_and_counts_only_without_calls_left() -> None:
    later = time() + 30
    for reset in ("30", f"{later:.0f}", f"{later * 1000:.0f}"):
        wait = asked(X_RateLimit_Reset=reset)
        assert wait is not None
        assert 25 < wait <= 31, reset
        assert asked(throttled=False, X_RateLimit_Reset=reset, X_RateLimit_Remaining="1") is None
        assert asked(throttled=False, X_RateLimit_Reset=reset, X_RateLimit_Remaining="0") is not None
    assert asked(X_RateLimit_Reset=f"{time() - 30:.0f}") == 0


def test_draft_names_the_windows_without_calls_left() -> None:
    """draft-ietf-httpapi-ratelimit-headers: r is what remains, t the seconds until the reset."""
    both = '"minute";r=0;t=12, "day";r=5;t=4000'
    assert asked(throttled=False, RateLimit=both) == 12
    assert asked(throttled=True, RateLimit=both) == 4000
    assert asked(throttled=False, RateLimit='"minute";r=3;t=12') is None
    assert asked(RateLimit="nonsense;;r=;t=x") is None


def test_strictest_wait_wins() -> None:
    assert asked(Retry_After="3", X_RateLimit_Reset="20", RateLimit='"d";r=0;t=9') == 20


@pytest.mark.parametrize("hours", [0, -8, 9])
def test_midnight_is_the_next_one_at_the_place(hours: int) -> None:
    there = datetime.now(UTC) + timedelta(hours=hours, seconds=waits.until_midnight(hours))

    assert abs(there - there.replace(hour=12, minute=0, second=0, microsecond=0)) > timedelta(hours=11, minutes=59)
    assert 0 < waits.until_midnight(hours) <= 24 * 3600
