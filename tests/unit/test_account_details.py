"""What a test call's answer tells of the account: bounded texts, and never a secret (HUB 1)."""

import json
import socket
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from causeway.outbound.replies import Reply
from causeway.platforms import account_details, calls
from causeway.platforms.account import Account
from causeway.platforms.account_details import NONE, AccountDetails
from causeway.platforms.call_terms import CallTerms
from tests.unit.platforms import platform
from tests.unit.wire_server import WireServer, ok

SECRET = "s3cret-canary/5f1e"
TOKEN = "t0ken-canary-77"


def told(value: Any) -> str | None:
    """The name in an answer that has this value in it, three objects deep."""
    reply = Reply(200, {}, json.dumps({"data": {"user": {"name": value}}}).encode())
    return account_details.read({"accountName": "data.user.name"}, reply, [SECRET]).account_name


def test_details_are_read_by_their_paths() -> None:
    content = {"id": 12, "name": "Shop", "place": {"id": "L1", "name": "elsewhere"}}
    paths = {"accountName": "name", "accountId": "id", "locationId": "place.id"}
    reply = Reply(200, {}, json.dumps(content).encode())

    assert account_details.read(paths, reply, []) == AccountDetails("Shop", "12", "L1")
    assert account_details.read({"accountId": "id"}, reply, []) == AccountDetails(account_id="12")
    assert account_details.read({"accountId": "place.id.more", "accountName": "absent"}, reply, []) == NONE
    assert account_details.read({"accountId": "id"}, Reply(200, {}, b'[{"id": 1}]'), []) == NONE
    assert account_details.read({}, Reply(200, {}, b"no JSON"), []) == NONE


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("Shop", "Shop"),
        ("  Dubai\n Mall\u2028 ", "Dubai Mall"),
        ("متجر", "متجر"),
        (17, "17"),
        (0, "0"),
        ("x" * 255, "x" * 255),
        ("x" * 256, None),
        ("\ud800", None),
        ("a\ud800b", "ab"),
        ("\0", None),
        ("", None),
        (None, None),
        (True, None),
        (1.5, None),
        (["Shop"], None),
        ({"name": "Shop"}, None),
    ],
)
def test_detail_is_one_line_of_visible_text(value: Any, shown: str | None) -> None:
    assert told(value) == shown


@pytest.mark.parametrize(
    "value",
    [
        SECRET,
        f"Shop {SECRET}",
        SECRET.replace("/", "%2F"),
        SECRET.encode().hex(),
        SECRET.replace("-", "\u200b-"),
        "access_token=abc",
        "Bearer abcdefgh1234",
    ],
)
def test_detail_with_a_secret_is_left_out(value: str) -> None:
    """By value in any spelling, and by the name before it, as in the log."""
    assert told(value) is None


def test_token_that_a_test_call_was_made_with_is_no_detail(set_environment: Callable[..., None]) -> None:
    """The token is not in the configuration: it was got for this call."""
    set_environment(EGRESS_ALLOWED_HOSTS="127.0.0.1")

    def answer(connection: socket.socket, server: WireServer) -> None:
        asks = b"grant_type" in server.requests[-1]
        content = {"access_token": TOKEN} if asks else {"name": TOKEN, "id": "A1"}
        ok(json.dumps(content).encode(), "Content-Type: application/json")(connection, server)

    details = {"details": {"accountName": "name", "accountId": "id"}}
    authentication = {
        "type": "oauth2_client_credentials",
        "token_path": "/token",
        "client_id": "c",
        "client_secret": "{s}",
    }
    with WireServer(answer) as server:
        provider = platform(server.url, authentication)
        provider = replace(provider, health_call=provider.health_call | details)
        result = calls.call_for_test(Account(provider, "production", {}, {"s": SECRET}), CallTerms(print))

    assert (result.verdict.code, result.details) == ("CONNECTED", AccountDetails(account_id="A1"))


def test_refused_test_tells_nothing_of_the_account(serve: Callable[..., WireServer]) -> None:
    """The body of a refusal may be about another account."""
    body = json.dumps({"name": "Shop", "refused": True}).encode()
    server = serve(ok(body, "Content-Type: application/json"))
    provider = platform(server.url, {"type": "none"})
    described = {"details": {"accountName": "name"}, "refused_when": {"pointer": "/refused", "pattern": "^true$"}}
    account = Account(replace(provider, health_call=provider.health_call | described), "production", {}, {})
    result = calls.call_for_test(account, CallTerms(print))

    assert (result.verdict.code, result.details) == ("INVALID_CREDENTIALS", NONE)
