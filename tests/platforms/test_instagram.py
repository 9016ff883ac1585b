"""Instagram: https://developers.facebook.com/docs/instagram-platform."""

from collections.abc import Callable

from causeway.platforms.account_details import AccountDetails
from causeway.platforms.kinds.limits import Signal
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
    limits=((400, {}, {"error": {"code": 80002}}, Signal(wait=300, remaining=0)),),
    throttled={"throttled": 300, "throttled_business": 120},
)
MINE = demo_credentials("instagram")


def test_connection_test_reads_the_account(sent: Callable[[str], list[Sent]]) -> None:
    target = f"/v23.0/{MINE['ig_user_id']}?fields=username"

    assert sent("instagram") == [Sent("GET", target, bearer(MINE["access_token"]))]
