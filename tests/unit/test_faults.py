"""What an attempt shows of its platform, which the circuit breaker counts (HUB 47)."""

import pytest

from causeway.connections import faults
from causeway.outbound.attempts import Attempt


def attempt(status: int | None = None, error: str | None = None, *, for_token: bool = False) -> Attempt:
    return Attempt("POST", "https://h.test/a", status, 1, error, "", "", for_token=for_token)


@pytest.mark.parametrize("status", [500, 502, 503, 504, 520, 530, 599])
def test_broken_platform_is_a_fault(status: int) -> None:
    assert faults.shown_by(attempt(status)) is True


@pytest.mark.parametrize("status", [200, 301, 400, 401, 404, 429, 501, 505, 507, 511])
def test_answer_to_a_request_shows_that_the_platform_works(status: int) -> None:
    """A caller can cause a 501 with a method that the platform does not have."""
    assert faults.shown_by(attempt(status)) is False


@pytest.mark.parametrize("error", ["ConnectFailed", "DnsFailed", "DnsUnavailable", "Garbled", "TimedOut", "TlsFailed"])
def test_platform_without_an_answer_is_a_fault(error: str) -> None:
    assert faults.shown_by(attempt(error=error)) is True


@pytest.mark.parametrize("error", ["OutOfTime", "SettingMissing", "AddressBlocked", "AddressInvalid", "RequestInvalid"])
def test_call_that_was_not_sent_shows_nothing(error: str) -> None:
    """Such as a caller that has waited too long for the token that another one gets."""
    assert faults.shown_by(attempt(error=error)) is None


def test_call_for_a_token_shows_nothing() -> None:
    """The token endpoint may be another server."""
    for one in (attempt(200, for_token=True), attempt(500, for_token=True), attempt(None, "TimedOut", for_token=True)):
        assert faults.shown_by(one) is None


def test_last_attempt_that_shows_anything_counts() -> None:
    nothing = attempt(error="SettingMissing")
    assert faults.last_shown([attempt(200), attempt(500), nothing]) is True
    assert faults.last_shown([attempt(500), attempt(None, "TooLarge")]) is False
    assert faults.last_shown([nothing]) is None
    assert faults.last_shown([]) is None
