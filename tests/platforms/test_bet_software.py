"""BET Software: nothing public describes its API, so these are the catalogue's defaults."""

from collections.abc import Callable

from local.sandbox.registry import demo_credentials
from tests.platforms.facts import Facts
from tests.platforms.recorder import Sent, signature

FACTS = Facts(
    kind="casino_platform",
    published=False,
    secrets=frozenset({"api_key", "hash_key"}),
    example={
        "partner_id": "your_partner_id",
        "api_key": "your_api_key",
        "hash_key": "your_hash_key",
        "site_id": "your_site_id",
    },
    verdicts=((401, {"error": "Unauthorized", "code": "UNAUTHORIZED"}, "INVALID_CREDENTIALS"),),
)
MINE = demo_credentials("bet_software")


def test_connection_test_reads_one_player_and_signs_the_empty_body(sent: Callable[[str], list[Sent]]) -> None:
    partner = {"X-API-Key": MINE["api_key"], "X-Partner-Id": MINE["partner_id"], "X-Site-Id": MINE["site_id"]}
    headers = partner | {"X-Hash": signature(MINE["hash_key"])}

    assert sent("bet_software") == [Sent("GET", "/players?limit=1", headers)]
