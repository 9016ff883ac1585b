"""LinkedIn: https://learn.microsoft.com/linkedin."""

from collections.abc import Callable

from causeway.platforms.account_details import AccountDetails
from causeway.platforms.kinds.limits import SILENT, Signal
from local.sandbox.registry import demo_credentials
from tests.platforms.facts import Facts
from tests.platforms.recorder import Sent, bearer

FACTS = Facts(
    kind="social",
    secrets=frozenset({"access_token", "refresh_token", "client_secret"}),
    example={"access_token": "your_access_token"},
    # https://learn.microsoft.com/linkedin/shared/api-guide/concepts/error-handling
    verdicts=((403, {"status": 403, "serviceErrorCode": 100, "code": "ACCESS_DENIED"}, "PROVIDER_FORBIDDEN"),),
    # https://learn.microsoft.com/en-us/linkedin/consumer/integrations/self-serve/sign-in-with-linkedin-v2
    details=AccountDetails("Causeway sandbox", "782bbtaQ"),
    # https://learn.microsoft.com/linkedin/shared/api-guide/concepts/rate-limits
    limits=(
        (429, {}, {"message": "Too many requests"}, Signal(wait=60)),
        (429, {}, None, Signal(wait=60)),
        (403, {}, {"message": "Resource level throttle limit"}, SILENT),
    ),
    throttled={"throttled": "UTC", "overloaded": 60},
)
MINE = demo_credentials("linkedin")


def test_connection_test_reads_the_member(sent: Callable[[str], list[Sent]]) -> None:
    assert sent("linkedin") == [Sent("GET", "/v2/userinfo", bearer(MINE["access_token"]))]
