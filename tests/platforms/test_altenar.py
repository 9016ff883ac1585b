"""Altenar: nothing public describes its API, so these are the catalogue's defaults."""

from collections.abc import Callable

from local.sandbox.registry import demo_credentials
from tests.platforms.facts import Facts
from tests.platforms.recorder import Sent, basic

FACTS = Facts(
    kind="sports_betting",
    published=False,
    secrets=frozenset({"api_password"}),
    example={
        "api_username": "your_username",
        "api_password": "your_password",
        "operator_id": "1234",
        "brand_id": "5678",
    },
    verdicts=((401, {"error": "Unauthorized", "code": "UNAUTHORIZED"}, "INVALID_CREDENTIALS"),),
)
MINE = demo_credentials("altenar")


def test_connection_test_reads_one_bet_of_the_brand(sent: Callable[[str], list[Sent]]) -> None:
    target = f"/bets?limit=1&operator_id={MINE['operator_id']}&brand_id={MINE['brand_id']}"

    assert sent("altenar") == [Sent("GET", target, basic(MINE["api_username"], MINE["api_password"]))]
