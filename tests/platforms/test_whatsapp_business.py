"""WhatsApp Cloud API: https://developers.facebook.com/docs/whatsapp/cloud-api."""

from collections.abc import Callable
from typing import Any

from causeway.platforms.account_details import AccountDetails
from causeway.platforms.kinds.limits import SILENT, Signal
from local.sandbox.registry import demo_credentials
from tests.platforms.facts import Facts
from tests.platforms.recorder import Sent, bearer

FACTS = Facts(
    kind="messaging",
    secrets=frozenset({"access_token", "app_secret", "verify_token"}),
    example={"access_token": "EAA1", "app_secret": "your_app_secret", "phone_number_id": "106540352242922"},
    # https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes
    verdicts=(
        (400, {"error": {"code": 130429}}, "RATE_LIMITED"),
        (400, {"error": {"code": 131056}}, "RATE_LIMITED"),
        (401, {"error": {"code": 190}}, "INVALID_CREDENTIALS"),
    ),
    # The id in the answer is the number's, not the account's.
    details=AccountDetails("Causeway sandbox"),
    # Limits of a second, of one person, and of an hour.
    limits=(
        (400, {}, {"error": {"code": 130429}}, SILENT),
        (400, {}, {"error": {"code": 131056}}, SILENT),
        (400, {}, {"error": {"code": 80007}}, Signal(wait=300, remaining=0)),
    ),
    throttled={"throttled": None, "throttled_pair": None, "throttled_business": 120},
)
MINE = demo_credentials("whatsapp_business")


def test_connection_test_reads_the_phone_number(sent: Callable[[str], list[Sent]]) -> None:
    target = f"/v23.0/{MINE['phone_number_id']}?fields=verified_name%2Cquality_rating%2Cdisplay_phone_number"

    assert sent("whatsapp_business") == [Sent("GET", target, bearer(MINE["access_token"]))]


def test_sandbox_words_a_refusal_as_meta_does(call: Callable[..., tuple[int, Any]]) -> None:
    status, refused = call("GET", f"/whatsapp_business/v23.0/{MINE['phone_number_id']}")

    assert (status, refused["error"]["code"]) == (400, 190)
