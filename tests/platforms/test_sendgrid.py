"""SendGrid: https://www.twilio.com/docs/sendgrid/api-reference."""

from collections.abc import Callable
from typing import Any

from causeway.platforms.kinds.limits import SILENT, Signal
from local.sandbox.registry import demo_credentials
from tests.platforms.facts import Facts
from tests.platforms.recorder import Sent, bearer

FACTS = Facts(
    kind="email",
    secrets=frozenset({"api_key"}),
    public=frozenset({"webhook_public_key"}),
    example={"api_key": "SG.your_api_key"},
    # https://www.twilio.com/docs/sendgrid/api-reference/how-to-use-the-sendgrid-v3-api/responses
    verdicts=((403, {"errors": [{"message": "access forbidden", "field": None, "help": None}]}, "PROVIDER_FORBIDDEN"),),
    # https://www.twilio.com/docs/sendgrid/api-reference/how-to-use-the-sendgrid-v3-api/rate-limits
    limits=(
        (429, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1392815263"}, {}, Signal(wait=1, remaining=0)),
        (200, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1392815263"}, {}, Signal(wait=1, remaining=0)),
        (200, {"X-RateLimit-Remaining": "499", "X-RateLimit-Reset": "1392815263"}, {}, SILENT),
        (429, {}, {}, SILENT),
    ),
    throttled={"throttled": 90},
)
MINE = demo_credentials("sendgrid")


def test_connection_test_reads_the_keys_scopes(sent: Callable[[str], list[Sent]]) -> None:
    assert sent("sendgrid") == [Sent("GET", "/v3/scopes", bearer(MINE["api_key"]))]


def test_sandbox_words_a_refusal_as_sendgrid_does(call: Callable[..., tuple[int, Any]]) -> None:
    assert call("GET", "/sendgrid/v3/scopes")[1]["errors"][0]["field"] is None
