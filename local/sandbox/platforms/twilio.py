"""Twilio: https://www.twilio.com/docs/usage/api/account."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from local.sandbox.authentication import basic
from local.sandbox.exchange import Request, Response
from local.sandbox.problems import phrase, waits
from local.sandbox.routes import Handler, Route

CREDENTIALS = {
    "account_sid": "AC5a6d0b0c5a6d0b0c5a6d0b0c5a6d0b0c",
    "auth_token": "sandbox-twilio-auth-token",
    "whatsapp_number": "whatsapp:+14155238886",
}


def routes() -> list[Route]:
    """Return the routes: an account's balance, and the account itself, whose answer has the auth token in it."""
    sid, token = CREDENTIALS["account_sid"], CREDENTIALS["auth_token"]
    authentication = basic(sid, token)
    balance = {"account_sid": sid, "balance": "42.17", "currency": "USD"}
    account = {"sid": sid, "friendly_name": "Causeway sandbox", "status": "active", "type": "Full", "auth_token": token}
    accounts = r"/2010-04-01/Accounts/(?P<sid>\w+)"
    return [
        Route("GET", rf"{accounts}/Balance\.json", authentication, _of_own_account(balance)),
        Route("GET", rf"{accounts}\.json", authentication, _of_own_account(account)),
    ]


def _of_own_account(content: Mapping[str, Any]) -> Handler:
    """Return a handler that answers the content; another account than the caller's is not found."""

    def handle(_: Request, path: Mapping[str, str]) -> Response | int:
        if path["sid"] != CREDENTIALS["account_sid"]:
            return 404
        return Response(200, content, {"Twilio-Request-Id": "RQsandbox"})

    return handle


def problem(status: int) -> Response:
    """Return an error: https://www.twilio.com/docs/usage/twilios-response, https://www.twilio.com/docs/api/errors."""
    code, message = {
        401: (20003, "Authenticate"),
        403: (20005, "Account not active"),
        404: (20404, "The requested resource was not found"),
        429: (20429, "Too Many Requests"),
    }.get(status, (20500, phrase(status)))
    more = f"https://www.twilio.com/docs/errors/{code}"
    return Response(status, {"code": code, "message": message, "more_info": more, "status": status}, waits(status))


def _throttled(_seconds: float) -> Response:
    """Return the answer above the account's concurrent calls: https://www.twilio.com/docs/api/errors/20429."""
    headers = {
        "Twilio-Concurrent-Requests": "101",
        "Twilio-Request-Duration": "0.004",
        "Twilio-Request-Id": "RQsandbox",
    }
    return replace(problem(429), headers=headers)


FAULTS = {"throttled": _throttled}
