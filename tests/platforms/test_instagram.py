"""Instagram: https://developers.facebook.com/docs/instagram-platform."""

from collections.abc import Callable

from causeway.platforms.account_details import AccountDetails
from local.sandbox.registry import demo_credentials
from tests.platforms.facts import Facts
from tests.platforms.recorder import Sent, bearer

FACTS = Facts(
    kind="social",
    secrets=frozenset({"access_token", "app_secret", "verify_token"}),
    example={"access_token": "EAA1", "app_secret": "your_app_secret", "ig_user_id": "17841405822304914"},
    # https://developers.facebook.com/docs/graph-api/guides/error-handling
    verdicts=((403, {"error": {"code": 4}}, "RATE_LIMITED"),),
    # https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/ig-user
    details=AccountDetails("causeway", "17841405822304914"),
)
MINE = demo_credentials("instagram")


def test_connection_test_reads_the_account(sent: Callable[[str], list[Sent]]) -> None:
    target = f"/v23.0/{MINE['ig_user_id']}?fields=username"

    assert sent("instagram") == [Sent("GET", target, bearer(MINE["access_token"]))]
