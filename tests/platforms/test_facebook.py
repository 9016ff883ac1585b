"""Facebook pages: https://developers.facebook.com/docs/pages-api."""

from collections.abc import Callable

from causeway.platforms.account_details import AccountDetails
from local.sandbox.registry import demo_credentials
from tests.platforms.facts import Facts
from tests.platforms.recorder import Sent, bearer

FACTS = Facts(
    kind="social",
    secrets=frozenset({"access_token", "app_secret", "verify_token"}),
    example={"access_token": "EAA1", "app_secret": "your_app_secret", "page_id": "1067280970047460"},
    # https://developers.facebook.com/docs/graph-api/guides/error-handling
    verdicts=(
        (400, {"error": {"code": 190}}, "INVALID_CREDENTIALS"),
        (400, {"error": {"code": 200}}, "PROVIDER_FORBIDDEN"),
        (400, {"error": {"code": 2}}, "PROVIDER_ERROR"),
        (400, {"error": {"code": 100}}, "PROVIDER_REJECTED"),
        (400, {"error": "text"}, "PROVIDER_REJECTED"),
        (500, {"error": {"code": 100}}, "PROVIDER_ERROR"),
        # A code is an integer; an error with any other code is an error all the same.
        *((200, {"error": {"code": code}}, "PROVIDER_REJECTED") for code in (100, 131026, "190", True, None, [190])),
        (400, {"error": {"code": True}}, "PROVIDER_REJECTED"),
    ),
    # https://developers.facebook.com/docs/graph-api/overview: a node answers its id always
    details=AccountDetails("Causeway sandbox", "1067280970047460"),
)
MINE = demo_credentials("facebook")


def test_connection_test_reads_the_page_of_the_token(sent: Callable[[str], list[Sent]]) -> None:
    target = "/v23.0/me?fields=id%2Cname"

    assert sent("facebook") == [Sent("GET", target, bearer(MINE["access_token"]))]
