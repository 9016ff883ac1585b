"""Playtech PAM: nothing public describes its API, so these are the catalogue's defaults."""

from collections.abc import Callable

from local.sandbox.registry import demo_credentials
from tests.platforms.accounts import demo_account, verdict_code
from tests.platforms.facts import Facts
from tests.platforms.recorder import FORM, TOKEN, Sent, basic, bearer

FACTS = Facts(
    kind="pam",
    published=False,
    secrets=frozenset({"client_secret", "license_key"}),
    public=frozenset({"token_path", "token_url", "token_auth", "token_audience", "token_scope"}),
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


def test_token_call_is_as_the_connection_configures_it(sandbox_url: str) -> None:
    """Another address, the client's credentials in the form, an audience and a scope."""
    own = {
        "token_url": f"{sandbox_url}/playtech_pam/identity/token",
        "token_auth": "body",
        "token_audience": "pam",
        "token_scope": "players.read",
    }

    assert verdict_code(demo_account("playtech_pam", sandbox_url, **own)) == "CONNECTED"
    for left_out in ("token_auth", "token_audience", "token_scope"):
        rest = {name: value for name, value in own.items() if name != left_out}
        assert verdict_code(demo_account("playtech_pam", sandbox_url, **rest)) == "INVALID_CREDENTIALS"


def test_another_token_address_needs_every_secret_again() -> None:
    """Otherwise an admin could send the stored secrets to a server of their own."""
    before = demo_account("playtech_pam", "https://pam.example")
    changed = demo_account("playtech_pam", "https://pam.example", token_url="https://elsewhere.example/token")

    assert changed.endpoints == [*before.endpoints, "https://elsewhere.example/token"]
