"""Playtech PAM: nothing public describes its API, so these are the catalogue's defaults."""

from collections.abc import Callable

from local.sandbox.registry import demo_credentials
from tests.platforms.facts import Facts
from tests.platforms.recorder import FORM, TOKEN, Sent, basic, bearer

FACTS = Facts(
    kind="pam",
    published=False,
    secrets=frozenset({"client_secret", "license_key"}),
    public=frozenset({"token_path"}),
    example={
        "client_id": "your_client_id",
        "client_secret": "your_client_secret",
        "license_key": "your_license_key",
        "region": "eu",
    },
    verdicts=((403, {"error": "Forbidden", "code": "FORBIDDEN"}, "PROVIDER_FORBIDDEN"),),
    requests=2,
)
MINE = demo_credentials("playtech_pam")


def test_connection_test_reads_one_player_with_a_token(sent: Callable[[str], list[Sent]]) -> None:
    client = FORM | basic(MINE["client_id"], MINE["client_secret"])
    licence = {"X-License-Key": MINE["license_key"], "X-Region": MINE["region"]}

    assert sent("playtech_pam") == [
        Sent("POST", "/oauth/token", client, {"grant_type": "client_credentials"}),
        Sent("GET", "/players?limit=1", licence | bearer(TOKEN)),
    ]
