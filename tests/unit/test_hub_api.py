"""The edge of the hub's functions, tried on a route of the test."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from causeway.edge import answers
from causeway.edge.hub import HubAnswer, HubCall, route

_TENANT = "00000000-0000-4000-8000-000000000001"


def answered(*, acts: bool, defect: Exception) -> dict[str, Any]:
    """Call a route that ends with an exception that is not ours."""
    app = APIGatewayHttpResolver()

    @route(app, "POST", "/acts", permission="connections.use", acts_on_platform=acts)
    def act(_: HubCall) -> HubAnswer:
        raise defect

    claims = {"sub": "somebody", "cognito:groups": "[tenant_admin]", "custom:tenant_id": _TENANT}
    event = {
        "version": "2.0",
        "routeKey": "POST /acts",
        "rawPath": "/acts",
        "headers": {},
        "requestContext": {
            "http": {"method": "POST", "path": "/acts", "sourceIp": "203.0.113.7"},
            "requestId": "request",
            "stage": "$default",
            "authorizer": {"jwt": {"claims": claims}},
        },
        "isBase64Encoded": False,
    }
    context = SimpleNamespace(
        function_name="acts",
        memory_limit_in_mb=128,
        invoked_function_arn="arn:aws:lambda:eu-central-1:123456789012:function:acts",
        aws_request_id="request",
        get_remaining_time_in_millis=lambda: 29000,
    )
    return answers.lambda_handler(app)(event, context)


@pytest.mark.parametrize(
    "defect", [ValueError("x"), RecursionError(), UnicodeEncodeError("utf-8", "\ud800", 0, 1, "x")]
)
def test_internal_error_after_a_platform_may_have_acted_is_an_unknown_outcome(defect: Exception) -> None:
    """INTERNAL would advise to send the call again, and the platform would act twice."""
    acted, changed = answered(acts=True, defect=defect), answered(acts=False, defect=defect)

    assert (acted["statusCode"], json.loads(acted["body"])["code"]) == (502, "PROVIDER_OUTCOME_UNKNOWN")
    assert (changed["statusCode"], json.loads(changed["body"])["code"]) == (500, "INTERNAL")
