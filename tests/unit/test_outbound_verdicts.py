"""What a test call's outcome means (HUB 8)."""

import json
from typing import Any

import pytest
from requests.structures import CaseInsensitiveDict

from causeway import outbound
from causeway.outbound.verdicts import judge


def _reply(status: int, content: Any, **headers: str) -> outbound.Reply:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return outbound.Reply(status, CaseInsensitiveDict(headers), body)


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (outbound.DnsFailed, "DNS_FAILED"),
        (outbound.AddressBlocked, "BLOCKED_ADDRESS"),
        (outbound.TlsFailed, "TLS_FAILED"),
        (outbound.TimedOut, "TIMED_OUT"),
        (outbound.ConnectFailed, "CONNECTION_FAILED"),
        (outbound.TooLarge, "UNEXPECTED_ANSWER"),
        (outbound.Garbled, "UNEXPECTED_ANSWER"),
    ],
)
def test_failure_has_its_verdict(failure: type[outbound.CallFailed], code: str) -> None:
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
        (400, {}, "UNEXPECTED_ANSWER"),
        (401, {}, "INVALID_CREDENTIALS"),
        (401, b"<html>", "INVALID_CREDENTIALS"),
        (403, {}, "FORBIDDEN"),
        (404, {}, "UNEXPECTED_ANSWER"),
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
    [
        ("facebook", 400, {"error": {"code": 190}}, "INVALID_CREDENTIALS"),
        ("whatsapp_business", 400, {"error": {"code": 130429}}, "RATE_LIMITED"),
        ("facebook_ads", 400, {"error": {"code": 80004}}, "RATE_LIMITED"),
        ("instagram", 403, {"error": {"code": 4}}, "RATE_LIMITED"),
        ("facebook", 400, {"error": {"code": 200}}, "FORBIDDEN"),
        ("facebook", 400, {"error": {"code": 2}}, "PROVIDER_ERROR"),
        ("facebook", 400, {"error": {"code": 100}}, "UNEXPECTED_ANSWER"),
        ("facebook", 400, {"error": "text"}, "UNEXPECTED_ANSWER"),
        ("aramex", 200, {"HasErrors": True, "Notifications": [{"Code": "ERR01"}]}, "INVALID_CREDENTIALS"),
        ("aramex", 200, {"HasErrors": True, "Notifications": None}, "UNEXPECTED_ANSWER"),
        ("aramex", 200, {"HasErrors": False, "NonExistingWaybills": ["1"]}, "CONNECTED"),
        ("telr", 200, {"error": {"message": "E04:Invalid store ID"}}, "INVALID_CREDENTIALS"),
        ("telr", 200, {"error": {"message": "E20:Order not found"}}, "CONNECTED"),
        ("telr", 200, {"error": {"message": "E05:Transaction cost or currency not valid"}}, "UNEXPECTED_ANSWER"),
        ("stripe", 400, {"error": {"code": 190}}, "UNEXPECTED_ANSWER"),
    ],
)
def test_platform_that_tells_its_error_in_the_body_is_understood(
    provider: str, status: int, content: Any, code: str
) -> None:
    """HUB 8."""
    assert judge(_reply(status, content), provider).code == code


@pytest.mark.parametrize(
    ("value", "seconds"), [("30", 30), ("0", 0), ("Wed, 21 Oct 2026 07:28:00 GMT", None), ("-1", None), ("²", None)]
)
def test_wait_is_told_where_the_platform_tells_it(value: str, seconds: int | None) -> None:
    verdict = judge(_reply(429, {}, **{"retry-after": value}))

    assert verdict.retry_after == seconds
    assert (f"{seconds} seconds" in verdict.next_action) == (seconds is not None)


def test_every_verdict_says_what_to_do_next() -> None:
    """HUB 8."""
    replies = [judge(_reply(status, {})) for status in (200, 301, 401, 403, 429, 500)]
    named = (getattr(outbound, name) for name in outbound.__all__)
    failures = [judge(kind()) for kind in named if isinstance(kind, type) and issubclass(kind, outbound.CallFailed)]

    assert all(verdict.message and verdict.next_action for verdict in replies + failures)
    assert len({verdict.code for verdict in replies + failures}) == 12
