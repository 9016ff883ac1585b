"""FedEx: https://developer.fedex.com/api/en-us/catalog/authorization.html."""

from collections.abc import Callable

from local.sandbox.registry import demo_credentials
from tests.platforms.facts import Facts
from tests.platforms.recorder import FORM, Sent

FACTS = Facts(
    kind="shipping",
    secrets=frozenset({"client_secret", "webhook_secret"}),
    example={"client_id": "your_client_id", "client_secret": "your_client_secret", "account_number": "740561073"},
    verdicts=((401, {"errors": [{"code": "NOT.AUTHORIZED.ERROR"}]}, "INVALID_CREDENTIALS"),),
)
MINE = demo_credentials("fedex")


def test_connection_test_asks_for_a_token(sent: Callable[[str], list[Sent]]) -> None:
    client = {"client_id": MINE["client_id"], "client_secret": MINE["client_secret"]}

    assert sent("fedex") == [Sent("POST", "/oauth/token", FORM, {"grant_type": "client_credentials"} | client)]
