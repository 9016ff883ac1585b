"""Stripe: https://docs.stripe.com/api."""

from collections.abc import Callable
from typing import Any

from causeway.platforms.kinds.limits import SILENT, Signal
from local.sandbox.registry import demo_credentials
from tests.platforms.facts import Facts
from tests.platforms.recorder import Sent, basic, bearer

FACTS = Facts(
    kind="payment",
    secrets=frozenset({"api_key", "webhook_secret"}),
    public=frozenset({"publishable_key"}),
    example={"api_key": "sk_test_1", "publishable_key": "pk_test_1", "webhook_secret": "whsec_1"},
    # https://docs.stripe.com/api/errors: its error.code is a text. A number is not one of Meta's codes.
    verdicts=(
        (400, {"error": {"code": 190}}, "PROVIDER_REJECTED"),
        (401, {"error": {"type": "invalid_request_error"}}, "INVALID_CREDENTIALS"),
        (429, {"error": {"type": "invalid_request_error", "code": "rate_limit"}}, "RATE_LIMITED"),
    ),
    # https://docs.stripe.com/rate-limits, https://docs.stripe.com/error-low-level
    limits=(
        (429, {"Stripe-Should-Retry": "true"}, {"error": {"code": "lock_timeout"}}, Signal(retry=True)),
        (500, {"Stripe-Should-Retry": "false"}, {}, Signal(retry=False)),
        (429, {"Stripe-Rate-Limited-Reason": "global-rate"}, {"error": {"code": "rate_limit"}}, SILENT),
        (200, {"Stripe-Should-Retry": "maybe"}, {}, SILENT),
    ),
    throttled={"throttled": None, "locked": None},
)
MINE = demo_credentials("stripe")


def test_connection_test_reads_the_balance_at_a_pinned_version(sent: Callable[[str], list[Sent]]) -> None:
    headers = {"Stripe-Version": "2026-10-28.endive"} | bearer(MINE["api_key"])

    assert sent("stripe") == [Sent("GET", "/v1/balance", headers)]


def test_sandbox_words_a_refusal_as_stripe_does(call: Callable[..., tuple[int, Any]]) -> None:
    assert call("GET", "/stripe/v1/balance")[1]["error"]["type"] == "invalid_request_error"


def test_sandbox_takes_the_key_as_a_user_without_password(call: Callable[..., tuple[int, Any]]) -> None:
    """https://docs.stripe.com/api/authentication."""
    statuses = [call("GET", "/stripe/v1/balance", basic(MINE["api_key"], word))[0] for word in ("", "x")]

    assert statuses == [200, 401]
