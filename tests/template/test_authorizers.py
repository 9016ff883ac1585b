"""The template's authorizers. tests/hub/test_matrix.py checks which of them each route of the hub has."""

from typing import Any

from local import ROOT
from local.template.reading import load

CALLER = "CallerAuthorizer"
# Callers with a signature; a platform's redirect, which has a state; and the API's description, which is public.
WITHOUT = {
    *("POST /casino/getBalance", "POST /casino/debit", "POST /casino/credit", "POST /casino/rollback"),
    *("POST /provider/launch", "POST /provider/simulate", "GET /openapi.json", "GET /docs"),
    *("GET /oauth/callback", "GET /oauth/callback/{state}"),
}


def test_route_without_an_authorizer_requires_a_token(resources: dict[str, Any]) -> None:
    """A new route that names no authorizer is closed, not open."""
    assert resources["HttpApi"]["Properties"]["Auth"]["DefaultAuthorizer"] == "TokenAuthorizer"
    functions = load(ROOT / "template.yaml", {"Stage": "local"})
    assert {route.key for function in functions for route in function.routes if not route.authorizer} == WITHOUT, (
        "a route with the authorizer NONE is listed in WITHOUT in tests/template/test_authorizers.py"
    )


def test_caller_authorizer_caches_nothing(resources: dict[str, Any]) -> None:
    """A revoked key is refused at once, and the identity source exists in a call with either header."""
    caller = resources["HttpApi"]["Properties"]["Auth"]["Authorizers"][CALLER]
    assert caller == {
        "FunctionArn": {"Ref": "CallerAuthorizerFunction.Alias"},
        "AuthorizerPayloadFormatVersion": "2.0",
        "EnableSimpleResponses": True,
        "EnableFunctionDefaultPermissions": True,
        "Identity": {"Context": ["routeKey"], "ReauthorizeEvery": 0},
    }


def test_both_authorizers_take_the_same_tokens(resources: dict[str, Any], functions: dict[str, dict[str, Any]]) -> None:
    native = resources["HttpApi"]["Properties"]["Auth"]["Authorizers"]["TokenAuthorizer"]["JwtConfiguration"]
    ours = functions["CallerAuthorizerFunction"]["Environment"]["Variables"]
    assert native == {"issuer": ours["TOKEN_ISSUER"], "audience": [ours["TOKEN_AUDIENCE"]]}


def test_authorizer_answers_before_the_gateway_gives_up(functions: dict[str, dict[str, Any]]) -> None:
    """API Gateway waits 10 s: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html"""
    assert functions["CallerAuthorizerFunction"]["Timeout"] < 10
