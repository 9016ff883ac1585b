"""The edge of the hub's functions, tried on a route of the test."""

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from causeway.edge import answers
from causeway.edge.hub import route
from causeway.edge.hub_calls import HubAnswer, HubCall
from causeway.edge.routes import App
from causeway.wire.models import Request

_TENANT = "00000000-0000-4000-8000-000000000001"


CLAIMS = {"sub": "somebody", "cognito:groups": "[tenant_admin]", "custom:tenant_id": _TENANT}
Function = Callable[..., HubAnswer]


def called(
    function: Function, body: str | None = None, parameters: dict[str, str] | None = None, **declaration: Any
) -> dict[str, Any]:
    """Declare POST /acts with a function of the test, call it, and return its answer."""
    app = App()
    route(app, "POST", "/acts", permission="connections.use", **declaration)(function)
    event = {
        "version": "2.0",
        "routeKey": "POST /acts",
        "rawPath": "/acts",
        "headers": {},
        "requestContext": {
            "http": {"method": "POST", "path": "/acts", "sourceIp": "203.0.113.7"},
            "requestId": "request",
            "stage": "$default",
            "authorizer": {"jwt": {"claims": CLAIMS}},
        },
        "isBase64Encoded": False,
        "body": body,
    } | ({} if parameters is None else {"queryStringParameters": parameters})
    context = SimpleNamespace(
        function_name="acts",
        memory_limit_in_mb=128,
        invoked_function_arn="arn:aws:lambda:eu-central-1:123456789012:function:acts",
        aws_request_id="request",
        get_remaining_time_in_millis=lambda: 29000,
    )
    return answers.lambda_handler(app)(event, context)


def code_of(answer: dict[str, Any]) -> tuple[int, str]:
    return answer["statusCode"], json.loads(answer["body"])["code"]


@pytest.mark.parametrize(
    "defect", [ValueError("x"), RecursionError(), UnicodeEncodeError("utf-8", "\ud800", 0, 1, "x")]
)
def test_internal_error_after_a_platform_may_have_acted_is_an_unknown_outcome(
    defect: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    """INTERNAL would advise to send the call again, and the platform would act twice; the alarm rings for both."""

    def act(_: HubCall) -> HubAnswer:
        raise defect

    assert code_of(called(act, acts_on_platform=True)) == (502, "PROVIDER_OUTCOME_UNKNOWN")
    assert code_of(called(act, acts_on_platform=False)) == (500, "INTERNAL")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    assert [line["INTERNAL"] for line in lines] == [[1.0], [1.0]]


def echo(call: HubCall) -> HubAnswer:
    """Answer the body that was sent."""
    return HubAnswer(json.dumps({"body": call.body if call.raw else None}), 202)


class Sent(Request):
    """The body of echo_sent."""

    a: int = 0


def echo_sent(_: HubCall, body: Sent) -> HubAnswer:
    """Answer the body as it was parsed."""
    return HubAnswer(json.dumps({"a": body.a}), 202)


DOCUMENTED: dict[str, Any] = {
    "response": "Connection",
    "status": 204,
    "refuses": ("NAME_TAKEN",),
    "media_types": ("text/csv",),
}


@pytest.mark.parametrize("name", [None, *DOCUMENTED])
@pytest.mark.parametrize("body", [None, "{}", '{"a":1}'])
@pytest.mark.parametrize("function", [echo, echo_sent])
def test_documentation_of_a_route_changes_no_answer(name: str | None, body: str | None, function: Function) -> None:
    documentation = DOCUMENTED if name is None else {name: DOCUMENTED[name]}

    assert called(function, body, **documentation) == called(function, body)


def test_function_gets_the_parsed_body() -> None:
    assert called(echo_sent, '{"a":7}')["body"] == '{"a": 7}'
    assert code_of(called(echo_sent, '{"a":"7"}')) == (400, "INVALID_REQUEST")


@pytest.mark.parametrize("body", ['{"a":1}', "[]", "x"])
def test_route_without_a_request_refuses_a_body_with_fields(body: str) -> None:
    assert code_of(called(echo, body)) == (400, "INVALID_REQUEST")


@pytest.mark.parametrize("body", [None, "", " ", "{}"])
def test_route_without_a_request_takes_an_empty_body(body: str | None) -> None:
    assert called(lambda _: HubAnswer("{}"), body)["statusCode"] == 200


@pytest.mark.parametrize("acts_on_platform", [True, False])
def test_route_without_a_query_refuses_parameters(*, acts_on_platform: bool) -> None:
    def act(_: HubCall) -> HubAnswer:
        raise AssertionError("called")

    answer = called(act, parameters={"x": "1"}, acts_on_platform=acts_on_platform)

    assert code_of(answer) == (400, "INVALID_REQUEST")
    assert json.loads(answer["body"])["problems"] == [
        {"path": "x", "rule": "is not a known field: there are no fields"}
    ]
