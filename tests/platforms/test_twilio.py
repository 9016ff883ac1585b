"""Twilio: https://www.twilio.com/docs/usage/api."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from causeway.outbound import client
from causeway.platforms.account_details import AccountDetails
from causeway.platforms.kinds.limits import SILENT, Signal
from local.sandbox.registry import demo_credentials
from tests.platforms.facts import Facts
from tests.platforms.recorder import Sent, basic

if TYPE_CHECKING:
    from causeway.outbound.attempts import Attempt

FACTS = Facts(
    kind="messaging",
    secrets=frozenset({"auth_token"}),
    example={
        "account_sid": "AC1234567890abcdef",
        "auth_token": "your_auth_token_here",
        "whatsapp_number": "whatsapp:+14155238886",
    },
    # https://www.twilio.com/docs/api/errors
    verdicts=(
        (401, {"code": 20003, "message": "Authenticate", "status": 401}, "INVALID_CREDENTIALS"),
        (429, {"code": 20429, "message": "Too Many Requests", "status": 429}, "RATE_LIMITED"),
    ),
    # https://github.com/twilio/twilio-oai: api_v2010, account.balance
    details=AccountDetails(account_id="AC5a6d0b0c5a6d0b0c5a6d0b0c5a6d0b0c"),
    # https://www.twilio.com/docs/api/errors/20429
    limits=(
        (429, {"Twilio-Concurrent-Requests": "101"}, {"code": 20429}, Signal(unprocessed=True)),
        # Of something before Twilio, which promises nothing.
        (429, {}, None, SILENT),
        (200, {"Twilio-Concurrent-Requests": "1"}, {}, SILENT),
        (400, {}, {"code": 20429}, SILENT),
    ),
    throttled={"throttled": None},
)
MINE = demo_credentials("twilio")
ACCOUNT = f"/2010-04-01/Accounts/{MINE['account_sid']}"


def test_connection_test_reads_the_balance(sent: Callable[[str], list[Sent]]) -> None:
    """The account would answer too, but with its auth token in the body."""
    headers = basic(MINE["account_sid"], MINE["auth_token"])

    assert sent("twilio") == [Sent("GET", f"{ACCOUNT}/Balance.json", headers)]


def test_sandbox_words_a_refusal_as_twilio_does(call: Callable[..., tuple[int, Any]]) -> None:
    _, refused = call("GET", "/twilio/2010-04-01/Accounts/AC0/Balance.json")

    assert (refused["code"], refused["status"]) == (20003, 401)


def test_auth_token_in_an_answer_is_not_logged(sandbox_url: str) -> None:
    """HUB 16: the account is answered with its auth token."""
    attempts: list[Attempt] = []
    reply = client.send(
        "GET",
        f"{sandbox_url}/twilio{ACCOUNT}.json",
        headers=basic(MINE["account_sid"], MINE["auth_token"]),
        log=attempts.append,
    )

    assert MINE["auth_token"].encode() in reply.body
    assert MINE["auth_token"] not in repr(attempts)
    assert '"auth_token": "[redacted]"' in attempts[-1].response_body
