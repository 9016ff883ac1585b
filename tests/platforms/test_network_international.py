"""Network International's N-Genius: https://docs.ngenius-payments.com."""

from collections.abc import Callable

from local.sandbox.registry import demo_credentials
from tests.platforms.accounts import demo_account, opened, verdict_code
from tests.platforms.facts import Facts
from tests.platforms.recorder import Sent

FACTS = Facts(
    kind="payment",
    secrets=frozenset({"api_key", "webhook_secret", "webhook_encryption_key"}),
    example={"api_key": "eW91cjprZXk=", "outlet_reference": "0d7d3a2c-5a3e-4b6e-9a55-3f6c1de70001"},
    verdicts=((401, {"code": 401, "errors": [{"errorCode": "invalidCredentials"}]}, "INVALID_CREDENTIALS"),),
)
MINE = demo_credentials("network_international")


def test_token_of_the_sandbox_opens_its_other_routes(sandbox_url: str) -> None:
    orders = f"/transactions/outlets/{MINE['outlet_reference']}/orders"

    assert opened(demo_account("network_international", sandbox_url)).call("GET", orders).status == 200


def test_token_is_refused_with_another_realm(sandbox_url: str) -> None:
    assert verdict_code(demo_account("network_international", sandbox_url, realm_name="other")) == "INVALID_CREDENTIALS"


def test_connection_test_asks_for_a_token_in_its_own_media_type(sent: Callable[[str], list[Sent]]) -> None:
    media_type = "application/vnd.ni-identity.v1+json"
    headers = {"Accept": media_type, "Content-Type": media_type, "Authorization": f"Basic {MINE['api_key']}"}

    assert sent("network_international") == [Sent("POST", "/identity/auth/access-token", headers, {"realmName": "ni"})]
