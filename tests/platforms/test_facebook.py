"""Facebook pages: https://developers.facebook.com/docs/pages-api."""

import json
from collections.abc import Callable

from causeway.platforms.account_details import AccountDetails
from causeway.platforms.kinds.limits import SILENT, Signal
from local.sandbox.registry import demo_credentials
from tests.platforms.facts import Facts
from tests.platforms.recorder import Sent, bearer

USED_UP = Signal(wait=300, remaining=0)
APP_USED_UP = Signal(wait=300, remaining=0, app_wait=300)


def business(*uses: tuple[str, int, int]) -> str:
    """The value of X-Business-Use-Case-Usage: kinds of use with the percent and the minutes to wait."""
    fields = ("type", "call_count", "estimated_time_to_regain_access")
    return json.dumps({f"10{number}": [dict(zip(fields, use, strict=True))] for number, use in enumerate(uses)})


FACTS = Facts(
    kind="social",
    secrets=frozenset({"access_token", "app_secret", "verify_token"}),
    example={"access_token": "EAA1", "app_secret": "your_app_secret", "page_id": "1067280970047460"},
    # https://developers.facebook.com/docs/graph-api/guides/error-handling
    verdicts=(
        (400, {"error": {"code": 190}}, "INVALID_CREDENTIALS"),
        (400, {"error": {"code": 200}}, "PROVIDER_FORBIDDEN"),
        (400, {"error": {"code": 2}}, "PROVIDER_ERROR"),
        (403, {"error": {"code": 341}}, "RATE_LIMITED"),
        (400, {"error": {"code": 100}}, "PROVIDER_REJECTED"),
        (400, {"error": "text"}, "PROVIDER_REJECTED"),
        (500, {"error": {"code": 100}}, "PROVIDER_ERROR"),
        # A code is an integer; an error with any other code is an error all the same.
        *((200, {"error": {"code": code}}, "PROVIDER_REJECTED") for code in (100, 131026, "190", True, None, [190])),
        (400, {"error": {"code": True}}, "PROVIDER_REJECTED"),
    ),
    # https://developers.facebook.com/docs/graph-api/overview: a node answers its id always
    details=AccountDetails("Causeway sandbox", "1067280970047460"),
    # https://developers.facebook.com/docs/graph-api/overview/rate-limiting
    limits=(
        (200, {"X-App-Usage": '{"call_count":28,"total_time":25,"total_cputime":25}'}, {}, SILENT),
        (200, {"X-App-Usage": '{"call_count":28,"total_time":100,"total_cputime":25}'}, {}, APP_USED_UP),
        (200, {"X-Page-Usage": '{"call_count":101}'}, {}, USED_UP),
        (400, {}, {"error": {"code": 4}}, APP_USED_UP),
        (403, {}, {"error": {"code": 341}}, USED_UP),
        (400, {}, {"error": {"code": 190}}, SILENT),
        # A policy block is no limit of calls.
        (400, {}, {"error": {"code": 368}}, SILENT),
        (200, {"X-Business-Use-Case-Usage": business(("pages", 100, 0))}, {}, USED_UP),
        # The longest of several uses, in minutes.
        (
            400,
            {"X-Business-Use-Case-Usage": business(("pages", 95, 3), ("messenger", 20, 7), ("leadgen", 20, 0))},
            {"error": {"code": 80001}},
            Signal(wait=420, remaining=0),
        ),
    ),
    throttled={"throttled": 300, "throttled_business": 120},
)
MINE = demo_credentials("facebook")


def test_connection_test_reads_the_page_of_the_token(sent: Callable[[str], list[Sent]]) -> None:
    target = "/v23.0/me?fields=id%2Cname"

    assert sent("facebook") == [Sent("GET", target, bearer(MINE["access_token"]))]
