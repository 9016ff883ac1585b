"""SOFTSWISS's data API: nothing public describes it, so these are the catalogue's defaults."""

from collections.abc import Callable

from local.sandbox.registry import demo_credentials
from tests.platforms.facts import Facts
from tests.platforms.recorder import Sent, signature

FACTS = Facts(
    kind="casino_platform",
    published=False,
    secrets=frozenset({"api_key", "api_secret", "webhook_secret"}),
    example={
        "api_key": "your_api_key",
        "api_secret": "your_api_secret",
        "casino_id": "your_softswiss_casino_id",
        "environment": "production",
    },
    verdicts=((403, {"error": "Forbidden", "code": "FORBIDDEN"}, "PROVIDER_FORBIDDEN"),),
)
MINE = demo_credentials("softswiss")


def test_connection_test_reads_one_player_and_signs_the_empty_body(sent: Callable[[str], list[Sent]]) -> None:
    headers = {"X-API-KEY": MINE["api_key"], "X-REQUEST-SIGN": signature(MINE["api_secret"])}

    assert sent("softswiss") == [Sent("GET", f"/players?limit=1&casino_id={MINE['casino_id']}", headers)]
