"""Mailchimp: https://mailchimp.com/developer/marketing."""

from collections.abc import Callable
from typing import Any

from causeway.platforms.kinds.limits import SILENT, Signal
from local.sandbox.registry import demo_credentials
from tests.platforms.accounts import demo_account
from tests.platforms.facts import Facts
from tests.platforms.recorder import Sent, basic, bearer

FACTS = Facts(
    kind="email",
    secrets=frozenset({"api_key", "client_secret", "webhook_secret"}),
    example={"api_key": "0123456789abcdef0123456789abcdef-us21", "data_center": "us21"},
    # https://mailchimp.com/developer/marketing/docs/errors
    verdicts=((401, {"title": "API Key Invalid", "status": 401}, "INVALID_CREDENTIALS"),),
    # https://mailchimp.com/developer/marketing/docs/fundamentals
    limits=(
        (403, {}, None, Signal(throttled=True)),
        (403, {}, {"title": "Forbidden"}, SILENT),
        (429, {}, {"title": "Too Many Requests"}, SILENT),
        (404, {}, None, SILENT),
    ),
    throttled={"throttled": None, "throttled_bare": None},
)
MINE = demo_credentials("mailchimp")


def test_connection_test_pings_with_the_key_as_a_password(sent: Callable[[str], list[Sent]]) -> None:
    assert sent("mailchimp") == [Sent("GET", "/3.0/ping", basic("causeway", MINE["api_key"]))]


def test_base_url_is_of_the_accounts_data_center() -> None:
    """https://mailchimp.com/developer/marketing/docs/fundamentals."""
    assert demo_account("mailchimp").base_url == "https://us21.api.mailchimp.com"


def test_sandbox_takes_the_key_as_a_bearer_token(call: Callable[..., tuple[int, Any]]) -> None:
    statuses = [call("GET", "/mailchimp/3.0/ping", bearer(key))[0] for key in (MINE["api_key"], "another")]

    assert statuses == [200, 401]


def test_sandbox_words_a_refusal_as_mailchimp_does(call: Callable[..., tuple[int, Any]]) -> None:
    assert call("GET", "/mailchimp/3.0/ping")[1]["title"] == "API Key Invalid"
