"""TikTok: https://developers.tiktok.com/doc."""

from collections.abc import Callable

from local.sandbox.registry import demo_credentials
from tests.platforms.facts import Facts
from tests.platforms.recorder import Sent, bearer

FACTS = Facts(
    kind="social",
    secrets=frozenset({"access_token", "refresh_token", "client_secret"}),
    public=frozenset({"client_key"}),
    example={"access_token": "act.your_access_token"},
    # https://developers.tiktok.com/doc/tiktok-api-v2-error-handling
    verdicts=(
        (401, {"data": {}, "error": {"code": "access_token_invalid"}}, "INVALID_CREDENTIALS"),
        (429, {"data": {}, "error": {"code": "rate_limit_exceeded"}}, "RATE_LIMITED"),
    ),
)
MINE = demo_credentials("tiktok")


def test_connection_test_reads_the_user(sent: Callable[[str], list[Sent]]) -> None:
    target = "/v2/user/info/?fields=open_id%2Cdisplay_name"

    assert sent("tiktok") == [Sent("GET", target, bearer(MINE["access_token"]))]
