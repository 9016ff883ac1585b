"""Meta's Marketing API: https://developers.facebook.com/docs/marketing-api."""

from collections.abc import Callable

from causeway.platforms.account_details import AccountDetails
from causeway.platforms.kinds.limits import SILENT, Signal
from local.sandbox.registry import demo_credentials
from tests.platforms.facts import Facts
from tests.platforms.recorder import Sent, bearer

FACTS = Facts(
    kind="advertising",
    secrets=frozenset({"access_token", "app_secret", "verify_token"}),
    example={"access_token": "EAA1", "app_secret": "your_app_secret", "ad_account_id": "1234567890"},
    # https://developers.facebook.com/docs/graph-api/guides/error-handling
    verdicts=((400, {"error": {"code": 80004}}, "RATE_LIMITED"),),
    # https://developers.facebook.com/docs/marketing-api/reference/ad-account: the id is act_ and the number
    details=AccountDetails("Causeway sandbox", "act_1234567890"),
    # https://developers.facebook.com/docs/marketing-api/overview/rate-limiting
    limits=(
        (200, {"X-Ad-Account-Usage": '{"acc_id_util_pct":9.67,"reset_time_duration":100}'}, {}, SILENT),
        (
            200,
            {"X-Ad-Account-Usage": '{"acc_id_util_pct":100.5,"reset_time_duration":100}'},
            {},
            Signal(wait=100, remaining=0),
        ),
        (
            200,
            {"x-fb-ads-insights-throttle": '{"app_id_util_pct":100,"acc_id_util_pct":10}'},
            {},
            Signal(wait=300, remaining=0, app_wait=300),
        ),
    ),
    throttled={"throttled": 120, "throttled_account": 90, "throttled_insights": 300},
)
MINE = demo_credentials("facebook_ads")


def test_connection_test_reads_the_ad_account(sent: Callable[[str], list[Sent]]) -> None:
    target = f"/v23.0/act_{MINE['ad_account_id']}?fields=name%2Caccount_status%2Ccurrency%2Ctimezone_name"

    assert sent("facebook_ads") == [Sent("GET", target, bearer(MINE["access_token"]))]
