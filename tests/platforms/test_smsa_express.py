"""SMSA Express: https://ecomapis.smsaexpress.com."""

from collections.abc import Callable

from local.sandbox.registry import demo_credentials
from tests.platforms.facts import Facts
from tests.platforms.recorder import Sent

FACTS = Facts(
    kind="shipping",
    secrets=frozenset({"api_key"}),
    example={"api_key": "your_api_key"},
    verdicts=((401, {"title": "Unauthorized", "status": 401}, "INVALID_CREDENTIALS"),),
)
MINE = demo_credentials("smsa_express")


def test_connection_test_reads_the_currencies(sent: Callable[[str], list[Sent]]) -> None:
    assert sent("smsa_express") == [Sent("GET", "/api/lookup/currency", {"apikey": MINE["api_key"]})]
