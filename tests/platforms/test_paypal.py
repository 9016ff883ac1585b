"""PayPal: https://developer.paypal.com/api/rest."""

from collections.abc import Callable
from typing import Any

from causeway.platforms.kinds.limits import SILENT, Signal
from local.sandbox.registry import demo_credentials
from tests.platforms.accounts import demo_account, opened
from tests.platforms.facts import Facts
from tests.platforms.recorder import FORM, Sent, basic, bearer

FACTS = Facts(
    kind="payment",
    secrets=frozenset({"client_secret"}),
    example={"client_id": "your_client_id", "client_secret": "your_client_secret"},
    # The token endpoint's error: RFC 6749, 5.2; the others: https://developer.paypal.com/api/rest/responses.
    verdicts=(
        (401, {"error": "invalid_client", "error_description": "Client Authentication failed"}, "INVALID_CREDENTIALS"),
        (403, {"name": "NOT_AUTHORIZED", "details": []}, "PROVIDER_FORBIDDEN"),
    ),
    # https://developer.paypal.com/api/rate-limiting
    limits=(
        (429, {}, {"name": "RATE_LIMIT_REACHED"}, Signal(wait=30)),
        (429, {"Retry-After": "2"}, {"name": "RATE_LIMIT_REACHED"}, SILENT),
        (503, {}, {}, SILENT),
    ),
    throttled={"throttled": 30},
)
MINE = demo_credentials("paypal")


def test_connection_test_asks_for_a_token(sent: Callable[[str], list[Sent]]) -> None:
    headers = FORM | basic(MINE["client_id"], MINE["client_secret"])

    assert sent("paypal") == [Sent("POST", "/v1/oauth2/token", headers, {"grant_type": "client_credentials"})]


def test_token_of_the_sandbox_opens_its_other_routes(call: Callable[..., tuple[int, Any]]) -> None:
    client = basic(MINE["client_id"], MINE["client_secret"])
    token = call("POST", "/paypal/v1/oauth2/token", client, b"grant_type=client_credentials")[1]["access_token"]

    tokens = (token, f"{token}0", "")
    statuses = [call("GET", "/paypal/v1/notifications/webhooks", bearer(given))[0] for given in tokens]

    assert statuses == [200, 401, 401]


def test_calls_carry_a_bearer_token(sandbox_url: str) -> None:
    """The REST API takes no HTTP Basic: https://developer.paypal.com/api/rest/authentication."""
    assert opened(demo_account("paypal", sandbox_url)).call("GET", "/v1/notifications/webhooks").status == 200
