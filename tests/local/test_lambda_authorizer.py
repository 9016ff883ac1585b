"""Lambda authorizers: the event of their function, the meaning of its response, and their declaration in a template."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local.account import ACCOUNT_ID, REGION
from local.errors import Refused, TemplateError, Throttled
from local.gateway.authorizers import declarations
from local.gateway.lambda_authorizer import LambdaAuthorizer, LambdaDeclaration

Call = Callable[..., Any]
EVENT = {
    "headers": {"x-key": "k"},
    "requestContext": {"apiId": "local", "stage": "$default", "http": {"method": "GET", "path": "/a"}},
}


def answered(call: Call, answer: Any, *headers: tuple[str, str]) -> Any:
    """The gateway's reply when the authorizer's function returns this."""
    return call("POST", "/guarded/7", b"{}", [("X-Answer", json.dumps(answer)), *headers])


def test_function_gets_format_2_and_its_context_reaches_the_route(call: Call) -> None:
    """The event has the keys of the guide's example, which has no body."""
    reply = call("POST", "/guarded/a%20b?q=1&q=2", b'{"x":1}', [("X-Own", "1"), ("Cookie", "c=1")])
    event = json.loads(reply.body)["event"]
    asked = event["requestContext"]["authorizer"]["lambda"]["asked"]

    assert event["requestContext"]["authorizer"].keys() == {"lambda"}
    assert event["body"]
    assert asked.keys() == {
        *("version", "type", "routeArn", "routeKey", "rawPath", "rawQueryString", "cookies", "headers"),
        *("queryStringParameters", "requestContext", "pathParameters"),
    }
    assert (asked["version"], asked["type"], asked["routeKey"]) == ("2.0", "REQUEST", "POST /guarded/{id}")
    assert asked["routeArn"] == f"arn:aws:execute-api:{REGION}:{ACCOUNT_ID}:local/$default/POST/guarded/a b"
    assert (asked["headers"]["x-own"], asked["cookies"]) == ("1", ["c=1"])
    assert (asked["queryStringParameters"], asked["pathParameters"]) == ({"q": "1,2"}, {"id": "a b"})
    # One request: the id is the same in both functions' logs.
    assert asked["requestContext"]["requestId"] == event["requestContext"]["requestId"]


def test_context_may_be_left_out(call: Call) -> None:
    reply = answered(call, {"isAuthorized": True})

    assert json.loads(reply.body)["event"]["requestContext"]["authorizer"] == {"lambda": {}}


def test_false_is_forbidden_with_any_context(call: Call) -> None:
    reply = answered(call, {"isAuthorized": False, "context": {"a": "b"}})

    assert (reply.status, reply.body, reply.header("www-authenticate")) == (403, b'{"message":"Forbidden"}', None)


@pytest.mark.parametrize(
    "answer",
    [
        *(None, True, "true", [], {}, {"isAuthorized": "true"}, {"isAuthorized": 1}, {"isAuthorized": None}),
        *({"isAuthorized": True, "context": None}, {"isAuthorized": True, "context": "x"}, {"context": {}}),
        {"policyDocument": {"Statement": [{"Effect": "Allow"}]}},
    ],
)
def test_response_of_another_form_gives_500(call: Call, answer: Any) -> None:
    reply = answered(call, answer)

    assert (reply.status, reply.body) == (500, b'{"message":"Internal Server Error"}')


def test_function_that_raises_gives_500(call: Call) -> None:
    reply = call("POST", "/guarded/7", b"{}", [("X-Answer", "raise")])

    assert (reply.status, reply.body) == (500, b'{"message":"Internal Server Error"}')


def test_throttled_function_gives_500() -> None:
    async def throttled(function: str, event: bytes) -> bytes:
        raise Throttled(function)

    with pytest.raises(Refused) as refused:
        asyncio.run(LambdaAuthorizer(LambdaDeclaration("guard", ()), throttled).check(EVENT))
    assert refused.value.status == 500


@pytest.mark.parametrize(
    ("target", "headers", "status"),
    [
        ("/keyed?place=1", [("x-key", "1")], 200),
        ("/keyed?place=1", [("X-KEY", "1")], 200),
        ("/keyed?place=1", [], 401),
        ("/keyed?place=1", [("x-key", "")], 401),
        ("/keyed", [("x-key", "1")], 401),
        ("/keyed?place=", [("x-key", "1")], 401),
        # The names of queries are case-sensitive.
        ("/keyed?Place=1", [("x-key", "1")], 401),
    ],
)
def test_request_without_an_identity_source_is_unauthorized_and_invokes_no_function(
    call: Call, target: str, headers: list[tuple[str, str]], status: int
) -> None:
    assert call("GET", target, headers=headers).status == status


def test_function_gets_the_identities_in_order(call: Call) -> None:
    reply = call("GET", "/keyed?place=there", headers=[("x-key", "mine")])

    asked = json.loads(reply.body)["event"]["requestContext"]["authorizer"]["lambda"]["asked"]
    assert asked["identitySource"] == ["mine", "there"]


def test_refused_call_does_not_reach_the_routes_function(call: Call, toy: Any) -> None:
    log = toy.log("guarded")
    before = log.read_text() if log.exists() else ""
    for answer in ({"isAuthorized": False}, None):
        answered(call, answer)
    assert (log.read_text() if log.exists() else "") == before


def _template(folder: Path, authorizer: str) -> Path:
    path = folder / "template.yaml"
    path.write_text(
        f"""
Resources:
  Api: {{Type: AWS::Serverless::HttpApi, Properties: {{Auth: {{Authorizers: {{Guard: {authorizer}}}}}}}}}
  GuardFunction: {{Type: AWS::Serverless::Function, Properties: {{}}}}
"""
    )
    return path


SIMPLE = 'AuthorizerPayloadFormatVersion: "2.0", EnableSimpleResponses: true'


@pytest.mark.parametrize(
    "arn", ["!GetAtt GuardFunction.Arn", "!Ref GuardFunction.Alias", '!Sub "${GuardFunction.Alias}"']
)
def test_template_names_the_function_or_its_alias(tmp_path: Path, arn: str) -> None:
    identity = "Identity: {Headers: [X-Key], QueryStrings: [A], Context: [routeKey], ReauthorizeEvery: 0}"
    template = _template(tmp_path, f"{{FunctionArn: {arn}, {SIMPLE}, {identity}}}")

    sources = (("headers", "x-key"), ("queryStringParameters", "A"), ("requestContext", "routeKey"))
    expected = LambdaDeclaration("guard", sources)
    assert declarations(template, {}) == ({"Guard": expected}, {})


@pytest.mark.parametrize(
    ("authorizer", "sentence"),
    [
        (f"{{FunctionArn: x, {SIMPLE}}}", "Guard.FunctionArn: no function of the template has x"),
        (f"{{FunctionArn: !GetAtt Other.Arn, {SIMPLE}}}", "nothing local stands for the attribute Other.Arn"),
        ("{FunctionArn: !GetAtt GuardFunction.Arn}", "only format 2.0 and simple responses"),
        (
            '{FunctionArn: !GetAtt GuardFunction.Arn, AuthorizerPayloadFormatVersion: "1.0"}',
            "only format 2.0 and simple responses",
        ),
        (
            f"{{FunctionArn: !GetAtt GuardFunction.Arn, {SIMPLE}, Identity: {{StageVariables: [a]}}}}",
            "Guard.Identity: the local stack does not support StageVariables",
        ),
    ],
)
def test_unsupported_authorizer_is_named(tmp_path: Path, authorizer: str, sentence: str) -> None:
    with pytest.raises(TemplateError, match=sentence):
        declarations(_template(tmp_path, authorizer), {})
