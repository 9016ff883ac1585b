"""The verdict on a test call's outcome (HUB 8)."""

import json
from typing import Any

import pytest
from requests.structures import CaseInsensitiveDict

from causeway.outbound import failures
from causeway.outbound.replies import Reply
from causeway.platforms import registry
from causeway.platforms.failures import SettingMissing
from causeway.platforms.kinds.errors import ErrorReader
from causeway.platforms.verdicts import judge, stated_error
from tests.platforms.facts import facts


def _reply(status: int, content: Any, **headers: str) -> Reply:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Reply(status, CaseInsensitiveDict(headers), body)


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (failures.DnsFailed, "DNS_FAILED"),
        (failures.DnsUnavailable, "DNS_UNAVAILABLE"),
        (failures.AddressBlocked, "BLOCKED_ADDRESS"),
        (failures.TlsFailed, "TLS_FAILED"),
        (failures.TimedOut, "TIMED_OUT"),
        (failures.ConnectFailed, "CONNECTION_FAILED"),
        (failures.TooLarge, "UNEXPECTED_ANSWER"),
        (failures.Garbled, "UNEXPECTED_ANSWER"),
        (failures.RequestInvalid, "CONFIG_INVALID"),
    ],
)
def test_failure_has_its_verdict(failure: type[failures.CallFailed], code: str) -> None:
    """HUB 8."""
    verdict = judge(failure("details for the log"))

    assert (verdict.code, verdict.success) == (code, False)
    assert "details" not in verdict.message + verdict.next_action


@pytest.mark.parametrize(
    ("status", "content", "code"),
    [
        (200, {"status": "active"}, "CONNECTED"),
        (200, [], "CONNECTED"),
        (200, b"<html>Welcome</html>", "UNEXPECTED_ANSWER"),
        (200, b"", "UNEXPECTED_ANSWER"),
        (204, b"", "UNEXPECTED_ANSWER"),
        (301, {}, "UNEXPECTED_ANSWER"),
        (400, {}, "PROVIDER_REJECTED"),
        (401, {}, "INVALID_CREDENTIALS"),
        (401, b"<html>", "INVALID_CREDENTIALS"),
        (403, {}, "PROVIDER_FORBIDDEN"),
        (404, {}, "PROVIDER_REJECTED"),
        (408, {}, "UNEXPECTED_ANSWER"),
        (429, {}, "RATE_LIMITED"),
        (500, {}, "PROVIDER_ERROR"),
        (503, b"<html>", "PROVIDER_ERROR"),
    ],
)
def test_status_has_its_verdict(status: int, content: Any, code: str) -> None:
    """HUB 8."""
    verdict = judge(_reply(status, content))

    assert (verdict.code, verdict.success) == (code, code == "CONNECTED")


@pytest.mark.parametrize(
    ("provider", "status", "content", "code"),
    [(key, *verdict) for key, its in facts().items() for verdict in its.verdicts],
)
def test_error_in_the_body_has_its_verdict(provider: str, status: int, content: Any, code: str) -> None:
    """HUB 8."""
    assert judge(_reply(status, content), registry.find(provider, ErrorReader)).code == code


def test_answer_of_a_platform_without_a_reader_is_not_parsed() -> None:
    """Its own errors are not known; parsing a large answer in vain takes time."""
    unreadable: Any = object()

    assert stated_error(Reply(200, CaseInsensitiveDict(), unreadable), None) is None


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        *(("30", 30), ("0", 0), ("-1", None), ("²", None), ("999999999", 86400), ("soon", None)),
        # A date in the past means no wait, a distant one means a day.
        *(("Wed, 21 Oct 2015 07:28:00 GMT", 0), ("Wed, 21 Oct 2099 07:28:00 GMT", 86400)),
        *(("Wed, 21 Oct 2099 07:28:00", None), ("Wed, 99 Oct 2099 07:28:00 GMT", None)),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_verdict_has_the_wait_that_the_platform_asks_for(value: str, seconds: int | None, status: int) -> None:
    """HUB 10, 54"""
    verdict = judge(_reply(status, {}, **{"retry-after": value}))

    assert verdict.retry_after == seconds
    assert (f"{seconds} seconds" in verdict.next_action) == (seconds is not None)


def every_failure() -> list[failures.CallFailed]:
    kinds = [one for one in vars(failures).values() if isinstance(one, type) and issubclass(one, failures.CallFailed)]
    return [*(kind("why") for kind in kinds), SettingMissing("why", "what to do")]


def test_every_verdict_says_what_to_do_next() -> None:
    """HUB 8."""
    replies = [judge(_reply(status, {})) for status in (200, 301, 401, 403, 429, 500)]
    failed = [judge(failure) for failure in every_failure()]

    assert all(verdict.message and verdict.next_action for verdict in replies + failed)
    assert len({verdict.code for verdict in replies + failed}) == 14


def test_every_verdict_is_an_error_of_its_own_code() -> None:
    """HUB 54: a caller's mistake is a 4xx, a platform's failure 502 or 504; both state how long to wait."""
    failed = [judge(failure) for failure in every_failure()]
    replies = [judge(_reply(status, {}, **{"retry-after": "7"})) for status in (301, 401, 403, 404, 429, 500)]
    found = {verdict.code: verdict.refusal() for verdict in failed + replies}

    assert {code: error.code for code, error in found.items()} == {code: code for code in found}
    assert {code: error.status for code, error in found.items()} == {
        **dict.fromkeys(("INVALID_CREDENTIALS", "PROVIDER_FORBIDDEN", "PROVIDER_REJECTED"), 422),
        **dict.fromkeys(("CONFIG_INCOMPLETE", "CONFIG_INVALID", "BLOCKED_ADDRESS", "DNS_FAILED"), 422),
        **dict.fromkeys(("CONNECTION_FAILED", "TLS_FAILED", "DNS_UNAVAILABLE"), 502),
        **dict.fromkeys(("PROVIDER_ERROR", "UNEXPECTED_ANSWER"), 502),
        "TIMED_OUT": 504,
        "RATE_LIMITED": 429,
    }
    assert {code: error.retry_after for code, error in found.items() if error.retry_after is not None} == {
        "RATE_LIMITED": 7,
        "PROVIDER_ERROR": 7,
    }


@pytest.mark.parametrize(
    ("failure", "code", "message"),
    [
        (
            failures.AddressInvalid("must begin with https://"),
            "CONFIG_INVALID",
            "config.base_url must begin with https://.",
        ),
        (SettingMissing("config.base_url is missing", "Give it."), "CONFIG_INCOMPLETE", "config.base_url is missing."),
        (failures.AddressBlocked("10.0.0.1"), "BLOCKED_ADDRESS", "The host in config.base_url has a private"),
        (failures.DnsFailed("x.invalid"), "DNS_FAILED", "The host in config.base_url does not exist."),
    ],
)
def test_known_reason_names_its_field(failure: failures.CallFailed, code: str, message: str) -> None:
    """HUB 56"""
    verdict = judge(failure, address="config.base_url")

    assert verdict.code == code
    assert verdict.message.startswith(message)
