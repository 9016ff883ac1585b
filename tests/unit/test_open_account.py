"""The result of a call with a connection, and whether the call may be repeated."""

import json
import socket
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from causeway.errors.platforms import (
    BlockedAddress,
    ConfigInvalid,
    ConnectionFailed,
    InvalidCredentials,
    ProviderError,
    ProviderForbidden,
    ProviderOutcomeUnknown,
    ProviderRejected,
    RateLimited,
    UnexpectedAnswer,
)
from causeway.errors.tree import CausewayError
from causeway.outbound.deadlines import Deadline
from causeway.outbound.retries import Repetition
from causeway.platforms import registry
from causeway.platforms.account import Account, Log
from causeway.platforms.call_terms import CallTerms
from causeway.platforms.kinds.errors import ACCEPTED, ErrorReader, Meaning
from causeway.platforms.open_account import OpenAccount
from causeway.platforms.tokens import TokenRefused
from tests.unit.platforms import platform
from tests.unit.wire_server import Act, WireServer, say

_KEY = {"type": "header", "name": "X-Key", "value": "{key}"}
_TOKEN = {
    "type": "oauth2_client_credentials",
    "token_path": "/token",
    "client_id": "{key}",
    "client_secret": "{key}",
}


@pytest.fixture(autouse=True)
def loopback(set_environment: Callable[..., None]) -> None:
    set_environment(EGRESS_ALLOWED_HOSTS="127.0.0.1")


def opened(url: str, provider_key: str = "platform", auth: dict[str, Any] = _KEY) -> OpenAccount:
    """An account at a platform at this URL."""
    account = Account(platform(url, auth, provider_key), "production", {}, {"key": "s3cret"})
    return OpenAccount(
        account, CallTerms(lambda _: None, errors=registry.find(provider_key, ErrorReader)), lambda _: None
    )


def answer(status: int, content: Any = None, *headers: str) -> Act:
    body = b"" if content is None else json.dumps(content).encode()
    lines = (f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *headers, "", "")
    return say("\r\n".join(lines).encode() + body)


def outcome(
    act: Act,
    method: str,
    provider_key: str = "platform",
    auth: dict[str, Any] = _KEY,
    repetition: Repetition | None = None,
) -> CausewayError | int:
    """The error that a call raises, or the status of its answer."""
    with WireServer(act) as server:
        try:
            account = opened(server.url, provider_key, auth)
            return account.call(method, "/messages", content={"a": 1}, repetition=repetition).status
        except CausewayError as error:
            return error


@pytest.mark.parametrize(("status", "content"), [(200, {}), (200, "done"), (202, None), (201, []), (204, None)])
def test_any_2xx_is_a_success(status: int, content: Any) -> None:
    """A test call requires more: an answer that only this platform gives."""
    assert outcome(answer(status, content), "POST") == status


@pytest.mark.parametrize("provider_key", ["platform", "whatsapp_business"])
def test_2xx_without_an_error_that_the_platforms_reader_knows_is_a_success(provider_key: str) -> None:
    """The first platform has no reader; the second's reads another error."""
    assert outcome(answer(200, {"error": {"message": "Invalid store ID"}}), "POST", provider_key) == 200


@pytest.mark.parametrize(
    ("provider_key", "content", "expected", "codes"),
    [
        ("telr", {"error": {"message": "E04:Invalid store ID"}}, InvalidCredentials, ["INVALID_CREDENTIALS"]),
        ("telr", {"error": {"message": "E05:Transaction cost or currency not valid"}}, ProviderRejected, []),
        ("telr", {"error": {"message": "E47:3DSecure authentication rejected"}}, ProviderRejected, []),
        (
            "aramex",
            {"HasErrors": True, "Notifications": [{"Code": "ERR01"}]},
            InvalidCredentials,
            ["INVALID_CREDENTIALS"],
        ),
        ("whatsapp_business", {"error": {"code": 4}}, RateLimited, ["RATE_LIMITED"]),
        ("whatsapp_business", {"error": {"code": 10}}, ProviderForbidden, []),
        ("whatsapp_business", {"error": {"code": 100}}, ProviderRejected, []),
        ("telr", {"error": {"message": "E22:Invalid", "note": "refund for store id 12"}}, ProviderRejected, []),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_error_that_the_platform_states_in_a_2xx_is_a_refusal(
    method: str, provider_key: str, content: Any, expected: type[CausewayError], codes: list[str]
) -> None:
    """HUB 8, 11: it says that nothing was done. The connection's health shows it, unless it is about this call only."""
    seen: list[str] = []
    with WireServer(answer(200, content)) as server, pytest.raises(CausewayError) as caught:
        replace(opened(server.url, provider_key), observe=lambda verdict: seen.append(verdict.code)).call(
            method, "/messages"
        )

    assert type(caught.value) is expected
    assert seen == codes


def test_error_inside_the_platform_that_a_2xx_states_makes_a_posts_outcome_unknown() -> None:
    """HUB 11: so does an error in a part of a request, as the other parts may be done."""
    part = {"HasErrors": True, "Notifications": [], "Shipments": [{"HasErrors": False}, {"HasErrors": True}]}
    for provider_key, content in (("whatsapp_business", {"error": {"code": 1}}), ("aramex", part)):
        failed = answer(200, content)

        assert type(outcome(failed, "GET", provider_key)) is ProviderError
        assert type(outcome(failed, "POST", provider_key)) is ProviderOutcomeUnknown


def test_answer_that_only_a_test_call_takes_for_a_success_is_left_to_the_caller() -> None:
    """Telr answers 200 to a check of an unknown order; only the test call asks for one on purpose."""
    seen: list[str] = []
    with WireServer(answer(200, {"error": {"message": "E20:Order not found"}})) as server:
        assert (
            replace(opened(server.url, "telr"), observe=lambda verdict: seen.append(verdict.code))
            .call("POST", "/gateway/order.json")
            .status
            == 200
        )

    assert seen == ["CONNECTED"]


@pytest.mark.parametrize(
    ("status", "get", "post"),
    [
        (301, UnexpectedAnswer, ProviderOutcomeUnknown),
        (303, UnexpectedAnswer, ProviderOutcomeUnknown),
        (400, ProviderRejected, ProviderRejected),
        (401, InvalidCredentials, InvalidCredentials),
        (402, ProviderRejected, ProviderRejected),
        (403, ProviderForbidden, ProviderForbidden),
        (404, ProviderRejected, ProviderRejected),
        (408, ProviderRejected, ProviderOutcomeUnknown),
        (422, ProviderRejected, ProviderRejected),
        (429, RateLimited, RateLimited),
        (500, ProviderError, ProviderOutcomeUnknown),
        (504, ProviderError, ProviderOutcomeUnknown),
    ],
)
def test_other_status_has_its_own_error(status: int, get: type[CausewayError], post: type[CausewayError]) -> None:
    """HUB 11: a call that may have been done is never called repeatable."""
    assert [type(outcome(answer(status), method)) for method in ("GET", "POST")] == [get, post]


@pytest.mark.parametrize(
    ("method", "code", "expected", "codes"),
    [
        ("GET", 2, ProviderError, ["PROVIDER_ERROR"]),
        ("POST", 2, ProviderOutcomeUnknown, ["PROVIDER_ERROR"]),
        ("POST", 190, InvalidCredentials, ["INVALID_CREDENTIALS"]),
        ("GET", 100, ProviderRejected, []),
        ("POST", 100, ProviderOutcomeUnknown, []),
    ],
)
def test_error_that_the_platform_states_in_a_408_counts(
    method: str, code: int, expected: type[CausewayError], codes: list[str]
) -> None:
    """HUB 8, 11: a 408 without an error that the reader knows is about the call only."""
    seen: list[str] = []
    with WireServer(answer(408, {"error": {"code": code}})) as server, pytest.raises(CausewayError) as caught:
        replace(opened(server.url, "whatsapp_business"), observe=lambda verdict: seen.append(verdict.code)).call(
            method, "/messages"
        )

    assert (type(caught.value), seen) == (expected, codes)


def test_wait_that_the_platform_asks_for_is_passed_on() -> None:
    error = outcome(answer(429, None, "Retry-After: 7"), "POST")

    assert isinstance(error, RateLimited)
    assert error.retry_after == 7


@pytest.mark.parametrize(
    ("code", "expected"),
    [(190, InvalidCredentials), (130429, RateLimited), (1, ProviderOutcomeUnknown), (131009, ProviderRejected)],
)
def test_error_in_the_body_has_its_own_error(code: int, expected: type[CausewayError]) -> None:
    """Meta's Graph API answers 400 to all errors."""
    assert type(outcome(answer(400, {"error": {"code": code}}), "POST", "whatsapp_business")) is expected


def _reset(connection: socket.socket, _: WireServer) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        (_reset, ConnectionFailed),
        (say(b""), ConnectionFailed),
        (say(b"nonsense\r\n\r\n"), UnexpectedAnswer),
        (say(b"HTTP/1.1 200 OK\r\nContent-Length: 9"), UnexpectedAnswer),
        (say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}"), UnexpectedAnswer),
        (say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nabc\r\n0\r\n\r\n"), UnexpectedAnswer),
    ],
)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST", "PATCH"])
def test_broken_connection_after_the_request_makes_a_posts_outcome_unknown(
    act: Act, expected: type[CausewayError], method: str
) -> None:
    """HUB 11"""
    repeatable = method not in ("POST", "PATCH")
    assert type(outcome(act, method)) is (expected if repeatable else ProviderOutcomeUnknown)


def test_failed_connect_is_not_an_unknown_outcome() -> None:
    """HUB 11: nobody listens, the handshake fails, or the address is blocked."""
    with socket.socket() as bound, WireServer(say(b"no TLS")) as plain:
        bound.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{bound.getsockname()[1]}"
        for url, expected in (
            (closed, ConnectionFailed),
            (plain.url.replace("http", "https"), ConnectionFailed),
            ("https://192.0.2.1", BlockedAddress),
            ("http://127.0.0.1:70000", ConfigInvalid),
        ):
            with pytest.raises(expected):
                opened(url).call("POST", "/messages", content={})


def test_failed_token_request_is_not_an_unknown_outcome() -> None:
    """HUB 11: the call itself was not made, whatever happened to the token request."""
    acts = (
        *((say(b""), ConnectionFailed), (answer(400), InvalidCredentials), (answer(500), ProviderError)),
        *((answer(302), UnexpectedAnswer), (answer(408), ProviderRejected)),
        *((answer(200, {"access_token": token}), UnexpectedAnswer) for token in ("a\r\nX: b", "\u043a", "", 1, ["a"])),
    )
    for act, expected in acts:
        assert type(outcome(act, "POST", auth=_TOKEN)) is expected


def test_doubt_of_an_attempt_stays_where_the_access_has_ended() -> None:
    """HUB 11: a keyed call that may be done is unknown, although no token can be got for its next attempt."""

    class Ended:
        def current(self, account: Account, log: Log, deadline: Deadline | None = None) -> str:  # noqa: ARG002
            return "token"

        def renewed(self, account: Account, log: Log, refused: str, deadline: Deadline | None = None) -> str:  # noqa: ARG002
            raise TokenRefused(401, "ended")

    replies = iter((answer(500), answer(401)))

    def in_turn(connection: socket.socket, server: WireServer) -> None:
        next(replies)(connection, server)

    with WireServer(in_turn) as server:
        account = opened(server.url, auth=_TOKEN)
        ended = replace(account, terms=replace(account.terms, tokens=Ended()))
        with pytest.raises(ProviderOutcomeUnknown):
            ended.call("POST", "/messages", content={}, repetition="keyed")


def test_fields_of_a_form_are_sent_as_a_form() -> None:
    with WireServer(answer(201)) as server:
        assert opened(server.url).call("POST", "/Messages.json", form={"To": "+41 79", "Body": "a&b"}).status == 201
        [request] = server.requests

    assert b"\r\nContent-Type: application/x-www-form-urlencoded\r\n" in request
    assert request.endswith(b"\r\n\r\nTo=%2B41+79&Body=a%26b")


class _Accepting:
    """A reader to which an empty error shows that the credentials are good."""

    def read_error(self, status: int, content: Mapping[str, Any]) -> Meaning | None:
        return ACCEPTED if status >= 300 and not content else None


@pytest.mark.parametrize(
    ("status", "method", "expected"),
    [
        (404, "GET", ProviderRejected),
        (500, "GET", ProviderError),
        (500, "POST", ProviderOutcomeUnknown),
        (302, "GET", UnexpectedAnswer),
    ],
)
def test_answer_that_would_satisfy_a_test_call_is_an_error_of_another_call(
    status: int, method: str, expected: type[CausewayError]
) -> None:
    with WireServer(answer(status, {})) as server:
        account = opened(server.url)
        accepting = replace(account, terms=replace(account.terms, errors=_Accepting()))
        with pytest.raises(expected):
            accepting.call(method, "/messages")


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        ((500, 429), ProviderOutcomeUnknown),
        ((500, 401), ProviderOutcomeUnknown),
        ((429, 429), RateLimited),
        ((500, 422), ProviderRejected),
    ],
)
def test_keyed_call_that_an_earlier_attempt_may_have_done_is_unknown(
    answers: tuple[int, ...], error: type[CausewayError]
) -> None:
    """HUB 11: a refusal by a limit or of the credentials is not the answer to the key; another refusal is."""

    def in_turn(connection: socket.socket, server: WireServer) -> None:
        status = answers[min(len(server.requests), len(answers)) - 1]
        wait = ["Retry-After: 60"] if len(server.requests) == len(answers) else []
        answer(status, {}, *wait)(connection, server)

    assert type(outcome(in_turn, "POST", repetition="keyed")) is error
