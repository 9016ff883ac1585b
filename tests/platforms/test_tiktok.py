"""TikTok: https://developers.tiktok.com/doc."""

import json
from collections.abc import Callable

import pytest

from causeway.platforms.account_details import AccountDetails
from causeway.platforms.kinds.limits import SILENT, Signal
from local.sandbox.registry import demo_credentials
from tests.platforms.accounts import demo_account, verdict_code
from tests.platforms.facts import Facts
from tests.platforms.recorder import Sent, bearer
from tests.unit.wire_server import Act, WireServer, ok

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
    # https://developers.tiktok.com/doc/tiktok-api-v2-get-user-info
    details=AccountDetails("Causeway sandbox", "723f24d7-e717-40f8-a2b6-cb8464cd23b4"),
    # https://developers.tiktok.com/doc/tiktok-api-v2-error-handling
    limits=(
        (403, {}, {"error": {"code": "spam_risk_too_many_posts"}}, Signal(throttled=True, retry=False)),
        (403, {}, {"error": {"code": "reached_active_user_cap"}}, Signal(throttled=True, retry=False)),
        (403, {}, {"error": {"code": "scope_not_authorized"}}, SILENT),
        (200, {}, {"code": 40100}, Signal(throttled=True)),
        (200, {}, {"error": {"code": "ok"}}, SILENT),
        (429, {}, {"error": {"code": "rate_limit_exceeded"}}, SILENT),
    ),
    throttled={"throttled": None, "throttled_day": None, "throttled_business": None},
    refuses_with_200=True,
)
MINE = demo_credentials("tiktok")


def test_connection_test_reads_the_user(sent: Callable[[str], list[Sent]]) -> None:
    target = "/v2/user/info/?fields=open_id%2Cdisplay_name"

    assert sent("tiktok") == [Sent("GET", target, bearer(MINE["access_token"]))]


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        ("ok", "CONNECTED"),
        ("access_token_invalid", "INVALID_CREDENTIALS"),
        ("scope_not_authorized", "INVALID_CREDENTIALS"),
    ],
)
def test_error_of_a_response_with_status_200_is_read(
    serve: Callable[[Act], WireServer], code: str, verdict: str
) -> None:
    """Every response has an error, whose code is ok after a success."""
    server = serve(ok(json.dumps({"data": {}, "error": {"code": code, "log_id": "1"}}).encode()))

    assert verdict_code(demo_account("tiktok", server.url)) == verdict
