"""Calls as a template describes them: the log contains nothing of the authentication (HUB 16)."""

import json
import re
import socket
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from causeway.catalogue.providers import Provider
from causeway.platforms import calls, retrying
from causeway.platforms.account import Account
from causeway.platforms.call_terms import CallTerms
from causeway.platforms.retrying import PlatformRequest
from tests.unit.platforms import platform
from tests.unit.wire_server import WireServer, ok

if TYPE_CHECKING:
    from causeway.outbound.attempts import Attempt

TOKEN = "t0ken/canary+3f8e"
SECRETS = {"client_id": "us3r-canary-11", "client_secret": "p4ss-canary-22", "refresh_token": "r3fresh-canary-33"}


def _answer(connection: socket.socket, server: WireServer) -> None:
    """Answer a token if one is requested; otherwise echo the request in every spelling that a platform might use."""
    request = server.requests[-1]
    if b"grant_type" in request:
        ok(json.dumps({"access_token": TOKEN}).encode(), "Content-Type: application/json")(connection, server)
        return
    said = request.decode()
    spelled = {"plain": said, "url": quote(said), "base64": b64encode(request).decode(), "inner": json.dumps(said)}
    ok(json.dumps(spelled).encode(), "Content-Type: application/json")(connection, server)


def _account(url: str, auth: dict[str, Any]) -> Account:
    return Account(platform(url, auth), "production", {}, SECRETS)


OAUTH = {"client_id": "{client_id}", "client_secret": "{client_secret}"}


@pytest.mark.parametrize(
    "auth",
    [
        {"type": "oauth2_client_credentials", "token_path": "/token", **OAUTH},
        {"type": "oauth2_client_credentials", "token_path": "/token", "client_auth": "basic", **OAUTH},
        {"type": "oauth2_refresh_token", "refresh_token": "{refresh_token}", "token_url": "{url}/token", **OAUTH},
        {"type": "basic", "username": "{client_id}", "password": "{client_secret}"},
        {"type": "bearer", "token": "{client_secret}"},
        {"type": "header", "name": "X-Proof", "value": "{client_secret}"},
        {"type": "hmac", "algorithm": "sha256", "encoding": "hex", "header": "X-Proof", "secret": "{client_secret}"},
        {"type": "hmac", "algorithm": "sha512", "encoding": "base64", "header": "X-Proof", "secret": "{client_id}"},
    ],
    ids=lambda auth: auth["type"],
)
def test_platform_that_echoes_the_authentication_leaves_none_of_it_in_the_log(
    set_environment: Callable[..., None], auth: dict[str, str]
) -> None:
    """HUB 16: the token of the first call is secret in the second, under any name and in any spelling."""
    set_environment(EGRESS_ALLOWED_HOSTS="127.0.0.1")
    attempts: list[Attempt] = []
    with WireServer(_answer) as server:
        placed = {name: value.replace("{url}", server.url) for name, value in auth.items()}
        reply = retrying.call(
            _account(server.url, placed), PlatformRequest("GET", "/me"), CallTerms(attempts.append)
        ).reply
        sent = server.requests[-1].decode()

    assert reply.status == 200
    # The last word: in Authorization, the text after the scheme.
    [proof] = re.findall(r"^(?:Authorization|X-Proof): .*?(\S+)\r$", sent, re.MULTILINE)
    assert proof in json.loads(reply.body)["plain"]
    assert "[redacted]" in attempts[-1].response_body
    logged = repr(attempts)
    for secret in (proof, *SECRETS.values()):
        assert secret not in logged
        # Not even its beginning, which a wrong cut would leave.
        assert secret[:8] not in logged
        assert quote(secret, safe="") not in logged
        assert b64encode(secret.encode()).decode().rstrip("=")[1:-2] not in logged


@pytest.mark.parametrize(
    ("pattern", "verdict"), [("^(?:.|.)*!$", "CONNECTED"), ("(a|aa)+$", "INVALID_CREDENTIALS"), ("^b", "CONNECTED")]
)
def test_answer_cannot_stall_the_templates_pattern(
    set_environment: Callable[..., None], pattern: str, verdict: str
) -> None:
    """HUB 55: the platform chooses the text; one of 200 letters blocked a create until API Gateway gave up."""
    set_environment(EGRESS_ALLOWED_HOSTS="127.0.0.1")
    body = json.dumps({"state": "a" * 1000}).encode()
    with WireServer(ok(body, "Content-Type: application/json")) as server:
        provider = platform(server.url, {"type": "none"})
        refuses = {"refused_when": {"pointer": "/state", "pattern": pattern}}
        account = Account(replace(provider, health_call=provider.health_call | refuses), "production", {}, {})

        assert calls.call_for_test(account, CallTerms(print)).verdict.code == verdict


def _of_tenants(provider: Provider) -> Provider:
    """The same provider with a base URL per connection."""
    return replace(provider, health_call=provider.health_call | {"configured_url": True})


@pytest.mark.parametrize(
    ("account", "code", "message"),
    [
        (
            Account(_of_tenants(platform("", {"type": "none"})), "production", {}, {}),
            "CONFIG_INCOMPLETE",
            "config.base_url is missing: Platform has no public address.",
        ),
        (
            Account(platform("https://platform.test", {"type": "none"}), "sandbox", {}, {}),
            "CONFIG_INCOMPLETE",
            "environment: Platform has no sandbox environment, but production.",
        ),
        (
            Account(platform("https://platform.test:70000", {"type": "none"}), "production", {}, {}),
            "CONFIG_INVALID",
            "The template's production address has a port that is not a number from 1 to 65535.",
        ),
        (
            Account(platform("https://platform.test", {"type": "bearer", "token": "{absent}"}), "production", {}, {}),
            "CONFIG_INCOMPLETE",
            "config.absent is missing, which this call needs.",
        ),
    ],
)
def test_call_that_cannot_be_made_says_why_and_is_logged(account: Account, code: str, message: str) -> None:
    """HUB 56: there is one log record, although there is no URL."""
    attempts: list[Attempt] = []
    verdict = calls.call_for_test(account, CallTerms(attempts.append)).verdict

    assert (verdict.code, verdict.message) == (code, message)
    assert [(attempt.status, attempt.response_body) for attempt in attempts] == [(None, "")]
    assert attempts[0].error in ("SettingMissing", "AddressInvalid")


def test_every_field_of_a_template_is_filled_in() -> None:
    account = Account(platform("https://platform.test", {"type": "none"}), "production", {"3ds": "on"}, {"_k": "x"})

    assert account.filled("/{3ds}/{_k}/{no field}") == "/on/x/{no field}"
