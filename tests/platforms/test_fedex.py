"""FedEx: https://developer.fedex.com/api/en-us/catalog/authorization.html."""

from collections.abc import Callable

from causeway.platforms.kinds.limits import SILENT, Signal
from local.sandbox.registry import demo_credentials
from tests.platforms.accounts import demo_account, opened
from tests.platforms.facts import Facts
from tests.platforms.recorder import FORM, Sent

FACTS = Facts(
    kind="shipping",
    secrets=frozenset({"client_secret", "webhook_secret"}),
    example={"client_id": "your_client_id", "client_secret": "your_client_secret", "account_number": "740561073"},
    # The token service blocks an address with 403: https://developer.fedex.com/api/en-us/guides/ratelimits.html.
    forbidden="RATE_LIMITED",
    verdicts=((401, {"errors": [{"code": "NOT.AUTHORIZED.ERROR"}]}, "INVALID_CREDENTIALS"),),
    # https://developer.fedex.com/api/en-us/guides/ratelimits.html
    limits=(
        (429, {}, {"errors": [{"code": "TOO.MANY.REQUESTS"}]}, Signal(wait=10)),
        (429, {}, None, Signal(wait=10)),
        (403, {}, {"errors": [{"code": "FORBIDDEN.ERROR"}]}, SILENT),
    ),
    throttled={"throttled": 10, "throttled_day": "UTC"},
)
MINE = demo_credentials("fedex")


def test_connection_test_asks_for_a_token(sent: Callable[[str], list[Sent]]) -> None:
    client = {"client_id": MINE["client_id"], "client_secret": MINE["client_secret"]}

    assert sent("fedex") == [Sent("POST", "/oauth/token", FORM, {"grant_type": "client_credentials"} | client)]


def test_token_of_the_sandbox_opens_its_other_routes(sandbox_url: str) -> None:
    account = opened(demo_account("fedex", sandbox_url))
    content = {"trackingInfo": [{"trackingNumberInfo": {"trackingNumber": "794843185271"}}]}

    assert account.call("POST", "/track/v1/trackingnumbers", content=content).status == 200
