"""The games' edge, with real routes and secrets extension: bodies, errors, signed answers; WALLET 32, 35 to 38."""

import gzip
import hmac
import json
from collections.abc import Callable
from hashlib import sha256
from time import time
from typing import Any
from uuid import UUID

import pytest

from causeway.casino.ledger.wallet import Answer
from causeway.database.postgres import Database
from causeway.edge import answers
from causeway.edge.games import SignedCall, route
from causeway.edge.routes import App
from causeway.errors.casino import DuplicateTransaction
from causeway.errors.requests import RateLimitExceeded
from causeway.errors.service import Misconfigured, SchemaBehind, Unavailable
from causeway.game_signing import signatures
from tests.unit.gateway_events import Answered, Context, make_event, of_size
from tests.unit.secrets_server import SecretsServer

PREFIX = "causeway/local/game-providers"
# Codes that the database knows; the last has no secret.
KNOWN = ("DEMO", "OTHER", "SECRETLESS")
CURRENT, PREVIOUS = "the-casino-secret", "the-casino-secret-before"
LIMIT = 16 * 1024
INSIDE = "hunter2 at db.internal:5432"
FAILURES: dict[str, Exception] = {
    "refuse": DuplicateTransaction(cause=INSIDE, balance=2**60),
    "unavailable": Unavailable(cause=INSIDE),
    "misconfigured": Misconfigured(cause=INSIDE),
    "limited": RateLimitExceeded(retry_after=7),
    "behind": SchemaBehind(cause=INSIDE),
    "crash": RuntimeError(INSIDE),
}


def bare(body: bytes | str, secret: str = CURRENT) -> str:
    raw = body.encode() if isinstance(body, str) else body
    return hmac.new(secret.encode(), raw, sha256).hexdigest()


def is_known(database: Database, code: str) -> bool:
    """Replaces the look-up of a code in the database, which these tests do not have."""
    return code in KNOWN


def make_handler() -> tuple[Callable[[dict[str, Any], Any], dict[str, Any]], list[SignedCall]]:
    """A function with one route per kind of result, and the calls that reached a route."""
    app = App()
    calls: list[SignedCall] = []

    @route(app, "POST", "/casino/echo", side="casino", is_known=is_known, request="Anything")
    def echo(call: SignedCall) -> dict[str, Any]:
        calls.append(call)
        return {"body": call.body}

    @route(app, "POST", "/casino/replay", side="casino", is_known=is_known, request="Anything")
    def replay(call: SignedCall) -> Answer:
        return Answer("OK", '{"stored": "verbatim"}', replayed=True)

    @route(app, "POST", "/casino/decline", side="casino", is_known=is_known, request="Anything")
    def decline(call: SignedCall) -> Answer:
        return Answer("INSUFFICIENT_FUNDS", '{"code":"INSUFFICIENT_FUNDS","balance":"3"}')

    @route(app, "POST", "/casino/later", side="casino", is_known=is_known, request="Anything")
    def later(call: SignedCall) -> Answer:
        return Answer("A_CODE_OF_LATER", '{"code":"A_CODE_OF_LATER","balance":"3"}')

    for name, failure in FAILURES.items():

        @route(app, "POST", f"/casino/{name}", side="casino", is_known=is_known, request="Anything")
        def fail(call: SignedCall, failure: Exception = failure) -> Answer:
            raise failure

    @route(app, "POST", "/provider/echo", side="provider", is_known=is_known, request="Anything")
    def provider_echo(call: SignedCall) -> dict[str, Any]:
        calls.append(call)
        return {"body": call.body}

    return answers.lambda_handler(app, next_action=False), calls


class Function:
    """A function, called as API Gateway calls it."""

    def __init__(self) -> None:
        self._handler, self.calls = make_handler()

    def send(self, event: dict[str, Any]) -> Answered:
        """Pass an event and return the answer."""
        result = self._handler(event, Context())
        assert not result.get("isBase64Encoded")
        return Answered(result["statusCode"], result["headers"], result["body"])

    def post(self, path: str, body: bytes | str | None, **more: Any) -> Answered:
        """POST a body with its bare signature, unless another is given."""
        more.setdefault("signature", bare(body or b""))
        return self.send(make_event(path, body, **more))


@pytest.fixture
def function(extension: SecretsServer, set_environment: Callable[..., None]) -> Function:
    set_environment(
        SECRETS_EXTENSION_URL=extension.url, AWS_SESSION_TOKEN="session-token", GAME_PROVIDER_SECRETS=PREFIX
    )
    extension.secrets |= {
        f"{PREFIX}/DEMO": {
            "tenant_id": str(UUID(int=1)),
            "casino_secrets": [CURRENT, PREVIOUS],
            "provider_secrets": ["the-provider-secret"],
        },
        f"{PREFIX}/OTHER": {
            "tenant_id": str(UUID(int=2)),
            "casino_secrets": ["the-other-secret"],
            "provider_secrets": ["other-provider-secret"],
        },
    }
    return Function()


BODY = '{"amount": 1000, "note":"\u00e9\U0001f3b0"}'
READ = {"amount": 1000, "note": "\u00e9\U0001f3b0"}


@pytest.mark.parametrize("base64", [False, True])
def test_signature_covers_the_sent_bytes_also_when_base64_encoded(function: Function, base64: bool) -> None:
    """WALLET 35"""
    answered = function.post("/casino/echo", BODY, base64=base64)

    assert (answered.status, answered.fields) == (200, {"body": READ})
    assert answered.headers["content-type"] == "application/json"
    call = function.calls[0]
    assert (call.game_provider.tenant_id, call.game_provider.code, call.game_provider.bare_signature) == (
        UUID(int=1),
        "DEMO",
        True,
    )
    assert (call.body, call.request_id) == (READ, "request-id")


@pytest.mark.parametrize("base64", [False, True])
def test_same_json_in_other_bytes_does_not_match_the_signature(function: Function, base64: bool) -> None:
    """WALLET 35"""
    answered = function.post("/casino/echo", BODY.replace(" ", ""), signature=bare(BODY), base64=base64)

    assert (answered.status, answered.fields["code"]) == (401, "SIGNATURE_INVALID")
    assert function.calls == []


def test_timed_signature_is_accepted_for_its_path_only(function: Function) -> None:
    """WALLET 36, 37"""
    timed = signatures.sign_timed(CURRENT, "POST", "/casino/echo", BODY.encode(), time())

    assert function.post("/casino/echo", BODY, signature=timed).status == 200
    assert not function.calls[0].game_provider.bare_signature
    assert function.post("/casino/replay", BODY, signature=timed).status == 401


@pytest.mark.parametrize("late", [-3600, 3600])
def test_old_or_future_signature_is_refused(function: Function, late: int) -> None:
    """WALLET 36"""
    timed = signatures.sign_timed(CURRENT, "POST", "/casino/echo", BODY.encode(), time() + late)

    assert function.post("/casino/echo", BODY, signature=timed).status == 401


@pytest.mark.parametrize(
    "signature",
    [None, "", "00", "z" * 64, "\u00e9" * 64, bare(BODY, "revoked"), bare(BODY, "the-provider-secret"), "t=,v1="],
)
def test_missing_or_wrong_signature_is_401_and_reaches_no_route(function: Function, signature: str | None) -> None:
    """WALLET 35, 38: all get the same answer, and an unauthenticated caller's answer is not signed."""
    answered = function.post("/casino/echo", BODY, signature=signature)

    assert answered.status == 401
    assert answered.fields == {
        "error": "The signature is missing or does not match the request",
        "code": "SIGNATURE_INVALID",
        "requestId": "request-id",
    }
    assert "x-casino-response-signature" not in answered.headers
    assert function.calls == []


def test_timed_signature_covers_the_decoded_path(function: Function) -> None:
    """WALLET 36: API Gateway decodes the path, so the decoded path is signed, not the path as sent."""
    for signed, status in (("/casino/écho", 401), ("/casino/ech%6f", 401), ("/casino/echo", 200)):
        timed = signatures.sign_timed(CURRENT, "POST", signed, BODY.encode(), time())
        assert function.post("/casino/echo", BODY, signature=timed).status == status


def test_compressed_body_passes_the_signature_and_is_not_json(function: Function) -> None:
    """WALLET 35: API Gateway's HTTP API does not decompress requests."""
    compressed = gzip.compress(BODY.encode())

    answered = function.post("/casino/echo", compressed, base64=True)

    assert (answered.status, answered.fields["code"]) == (400, "INVALID_REQUEST")
    assert function.post("/casino/echo", compressed, base64=True, signature=bare(BODY)).status == 401


def test_body_is_not_parsed_before_its_signature_is_verified(function: Function) -> None:
    """An unauthenticated caller learns nothing about the parsing of bodies."""
    assert function.post("/casino/echo", "not JSON", signature="0" * 64).fields["code"] == "SIGNATURE_INVALID"


def test_provider_is_named_by_its_header(function: Function) -> None:
    """WALLET 37"""
    assert function.post("/casino/echo", BODY, code="OTHER", signature=bare(BODY, "the-other-secret")).status == 200
    assert function.calls[0].game_provider.tenant_id == UUID(int=2)
    assert function.post("/casino/echo", BODY, code="OTHER").status == 401
    assert function.post("/casino/echo", BODY, signature=bare(BODY, "the-other-secret")).status == 401


@pytest.mark.parametrize("status", [400, 403, 429, 500])
def test_secret_that_cannot_be_read_is_503_and_not_a_wrong_signature(
    function: Function, extension: SecretsServer, status: int
) -> None:
    """WALLET 39: a game provider would take 401 as the final answer to a win."""
    extension.fixed = (status, b"an unexpected error occurred while executing request")

    for body in (BODY, BODY):
        answered = function.post("/casino/echo", body)
        assert (answered.status, answered.fields["code"]) == (503, "UNAVAILABLE")
        assert answered.headers["retry-after"] == "1"

    extension.fixed = None
    assert function.post("/casino/echo", BODY).status == 200


def test_known_provider_without_a_secret_is_503(function: Function) -> None:
    """The secret may exist a moment later. The log says that it is missing."""
    assert function.post("/casino/echo", BODY, code="SECRETLESS").status == 503


@pytest.mark.parametrize("tenant_id", [None, "", "a tenant", 1, []])
def test_secret_without_a_tenants_id_is_a_misconfiguration(
    function: Function, extension: SecretsServer, tenant_id: object, caplog: pytest.LogCaptureFixture
) -> None:
    """Not an invalid signature: the log names the field."""
    extension.secrets[f"{PREFIX}/DEMO"] |= {"tenant_id": tenant_id}

    assert function.post("/casino/echo", BODY).status == 500
    assert "tenant_id of game provider DEMO's secret must be a tenant's id" in caplog.text


def test_malformed_tenant_id_is_not_told_to_a_caller_without_a_valid_signature(
    function: Function, extension: SecretsServer
) -> None:
    extension.secrets[f"{PREFIX}/DEMO"] |= {"tenant_id": "a tenant"}

    answered = function.post("/casino/echo", BODY, signature=bare(BODY, "the-other-secret"))
    assert (answered.status, answered.fields["code"]) == (401, "SIGNATURE_INVALID")


def test_invented_code_causes_no_read_of_a_secret(function: Function, extension: SecretsServer) -> None:
    """WALLET 37: anybody can send any code."""
    answered = {function.post("/casino/echo", BODY, code=f"MADE_UP_{number}").status for number in range(200)}

    assert (answered, extension.asked) == ({401}, [])


@pytest.mark.parametrize("code", ["", "NOBODY", "demo", "../DEMO", "DEMO ", "\u00e9", "A" * 65, "DEMO,OTHER"])
def test_unknown_provider_is_401(function: Function, code: str) -> None:
    """WALLET 37"""
    assert function.post("/casino/echo", BODY, code=code).status == 401


def test_header_names_may_have_any_case(function: Function) -> None:
    event = make_event("/casino/echo", BODY)
    event["headers"] = {"X-Casino-Signature": bare(BODY, "the-other-secret"), "X-PROVIDER-CODE": "OTHER"}

    assert function.send(event).status == 200


def test_previous_secret_is_accepted_and_signs_the_answer(function: Function) -> None:
    """WALLET 38"""
    answered = function.post("/casino/echo", BODY, signature=bare(BODY, PREVIOUS))

    assert answered.status == 200
    assert answered.headers["x-casino-response-signature"] == bare(answered.body, PREVIOUS)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/casino/echo", BODY, 200),
        ("/casino/replay", BODY, 200),
        ("/casino/decline", BODY, 402),
        ("/casino/refuse", BODY, 409),
        ("/casino/unavailable", BODY, 503),
        ("/casino/misconfigured", BODY, 500),
        ("/casino/later", BODY, 500),
        ("/casino/echo", "not JSON", 400),
        ("/casino/echo", '{"a":1,"a":1}', 400),
    ],
)
def test_every_answer_to_a_proven_caller_is_signed(function: Function, path: str, body: str, status: int) -> None:
    """WALLET 38: the signature covers the exact bytes of the answer."""
    answered = function.post(path, body)

    assert answered.status == status
    assert answered.headers["x-casino-response-signature"] == bare(answered.body)


def test_game_provider_signs_no_answers(function: Function) -> None:
    """x-provider-signature is for requests only."""
    answered = function.post("/provider/echo", BODY, direction="provider", signature=bare(BODY, "the-provider-secret"))

    assert answered.status == 200
    assert not [name for name in answered.headers if "signature" in name.lower()]


def test_calls_to_the_provider_are_verified_by_its_own_secret_and_header(function: Function) -> None:
    for direction, secret in (("provider", CURRENT), ("casino", "the-provider-secret"), ("casino", CURRENT)):
        answered = function.post("/provider/echo", BODY, direction=direction, signature=bare(BODY, secret))
        assert answered.status == 401
    assert function.calls == []


@pytest.mark.parametrize("base64", [False, True])
def test_body_of_16_kib_is_read_and_one_byte_more_is_413(function: Function, base64: bool) -> None:
    """WALLET 32"""
    assert function.post("/casino/echo", of_size(LIMIT), base64=base64).status == 200

    answered = function.post("/casino/echo", of_size(LIMIT + 1), base64=base64)
    assert (answered.status, answered.fields["code"]) == (413, "PAYLOAD_TOO_LARGE")
    assert len(function.calls) == 1


def test_limit_counts_bytes_and_not_characters(function: Function) -> None:
    """WALLET 32"""
    body = '{"x":"' + "\u00e9" * (LIMIT // 2) + '"}'

    assert len(body) < LIMIT
    assert function.post("/casino/echo", body).status == 413


@pytest.mark.parametrize("body", [None, "", "[]", "1", "null", "{", "{}x", "\ufeff{}", '{"a":1,"a":1}', "[" * 1000])
def test_signed_body_that_is_not_an_object_is_400(function: Function, body: str | None) -> None:
    """WALLET 32"""
    answered = function.post("/casino/echo", body)

    assert (answered.status, answered.fields["code"]) == (400, "INVALID_REQUEST")
    assert function.calls == []


@pytest.mark.parametrize("raw", [b'{"a":"\xff"}', b"\xff\xfe{\x00}\x00", b'{"a":"\xed\xa0\x80"}'])
def test_signed_body_that_is_not_utf8_is_400(function: Function, raw: bytes) -> None:
    """WALLET 32: API Gateway delivers such bytes base64-encoded."""
    answered = function.post("/casino/echo", raw, base64=True)

    assert (answered.status, answered.fields["error"]) == (400, "The body is not UTF-8")


@pytest.mark.parametrize("body", ["=", "a", "####", "e30", "e30=\n", "{}"])
def test_event_with_invalid_base64_is_400(function: Function, body: str) -> None:
    event = make_event("/casino/echo", "{}", signature=bare("{}"), base64=True)
    event["body"] = body

    answered = function.send(event)
    assert (answered.status, answered.fields["error"]) == (400, "The body is not valid base64")


def test_lone_surrogate_in_an_event_is_400_and_not_500(function: Function) -> None:
    """A JSON event can contain text that UTF-8 cannot encode."""
    event = make_event("/casino/echo", "{}", signature=bare("{}"))
    event["body"] = '{"a":"\ud800"}'

    assert function.send(event).status == 401


def test_replay_sends_the_stored_bytes_and_says_so(function: Function) -> None:
    """WALLET 9"""
    answered = function.post("/casino/replay", BODY)

    assert (answered.status, answered.body) == (200, '{"stored": "verbatim"}')
    assert answered.headers["idempotent-replay"] == "true"
    assert "idempotent-replay" not in function.post("/casino/echo", BODY).headers


def test_stored_decline_has_the_status_of_its_code(function: Function) -> None:
    answered = function.post("/casino/decline", BODY)

    assert (answered.status, answered.body) == (402, '{"code":"INSUFFICIENT_FUNDS","balance":"3"}')


def test_stored_decline_with_an_unknown_code_is_a_fault_that_the_log_names(
    function: Function, caplog: pytest.LogCaptureFixture
) -> None:
    """After a rollback of the release that stored it; the decline's body is not the answer of a 500."""
    answered = function.post("/casino/later", BODY)

    assert (answered.status, answered.fields["code"], "balance" in answered.fields) == (500, "INTERNAL", False)
    assert "A_CODE_OF_LATER" not in answered.body
    assert "A_CODE_OF_LATER" in caplog.text


def test_refusal_tells_code_sentence_and_balance_as_text(function: Function) -> None:
    answered = function.post("/casino/refuse", BODY)

    assert (answered.status, answered.fields) == (
        409,
        {
            "error": "This transaction id was already used for another request",
            "code": "DUPLICATE_TRANSACTION",
            "requestId": "request-id",
            "balance": str(2**60),
        },
    )
    assert "retry-after" not in answered.headers


def test_unavailable_says_when_to_retry(function: Function) -> None:
    """WALLET 39"""
    answered = function.post("/casino/unavailable", BODY)

    assert (answered.status, answered.headers["retry-after"], answered.fields["code"]) == (503, "1", "UNAVAILABLE")


def test_old_schema_keeps_its_own_sentence(function: Function) -> None:
    """Nothing was done: its outcome is not unknown."""
    answered = function.post("/casino/behind", BODY)

    assert (answered.status, answered.fields["code"]) == (503, "UNAVAILABLE")
    assert answered.fields["error"] == "The service is being updated"


def test_retry_after_of_the_error_overrides_that_of_its_class(function: Function) -> None:
    answered = function.post("/casino/limited", BODY)

    assert (answered.status, answered.headers["retry-after"]) == (429, "7")


def test_unreadable_secrets_are_503_and_not_401(function: Function, extension: SecretsServer) -> None:
    """A caller with a valid signature must not be told that it is wrong."""
    extension.fixed = (500, b"")

    answered = function.post("/casino/echo", BODY)
    assert (answered.status, answered.headers["retry-after"]) == (503, "1")


@pytest.mark.parametrize("path", ["/casino/crash", "/casino/misconfigured", "/casino/unavailable", "/casino/refuse"])
def test_no_answer_says_anything_internal(function: Function, path: str, capsys: pytest.CaptureFixture[str]) -> None:
    answered = function.post(path, BODY)

    told = answered.body + json.dumps(answered.headers)
    for internal in (INSIDE, "hunter2", "RuntimeError", "Traceback", ".py", CURRENT, PREFIX):
        assert internal not in told


def test_unexpected_exception_is_500_internal(function: Function, capsys: pytest.CaptureFixture[str]) -> None:
    answered = function.post("/casino/crash", BODY)

    assert answered.status == 500
    assert answered.fields == {
        "error": "Something went wrong on our side",
        "code": "INTERNAL",
        "requestId": "request-id",
    }


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/"), ("POST", "/casino/nothing"), ("GET", "/casino/echo"), ("POST", "/casino/echo/")]
)
def test_unknown_path_or_method_is_404_in_the_form_of_all_errors(function: Function, method: str, path: str) -> None:
    answered = function.post(path, BODY, method=method)

    assert answered.status == 404
    assert answered.fields == {
        "error": "No such route",
        "code": "NOT_FOUND",
        "requestId": "request-id",
    }


def test_fault_of_ours_is_counted_and_no_other_answer(function: Function, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    for end in ("echo", "decline", "refuse", "crash", "unavailable"):
        function.post(f"/casino/{end}", BODY)
    function.post("/nowhere", BODY)

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    counted = [
        metric["Name"]
        for line in lines
        if "_aws" in line
        for metrics in line["_aws"]["CloudWatchMetrics"]
        for metric in metrics["Metrics"]
    ]
    assert counted == ["INTERNAL", "Unavailable"]
