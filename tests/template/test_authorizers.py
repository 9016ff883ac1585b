"""Who finds out who calls: the template's authorizers. Which of them a route of the hub has, test_matrix says."""

from typing import Any

from local import ROOT
from local.template.reading import load

CALLER = "CallerAuthorizer"
# The caller proves itself by a signature, or need not: the API's description is everybody's.
WITHOUT = {
    *("POST /casino/getBalance", "POST /casino/debit", "POST /casino/credit", "POST /casino/rollback"),
    *("POST /provider/launch", "POST /provider/simulate", "GET /openapi.json", "GET /docs"),
}


def test_route_that_says_nothing_asks_for_a_token(resources: dict[str, Any]) -> None:
    """A new one that forgets to say is shut."""
    assert resources["HttpApi"]["Properties"]["Auth"]["DefaultAuthorizer"] == "TokenAuthorizer"
    functions = load(ROOT / "template.yaml", {"Stage": "local"})
    assert {route.key for function in functions for route in function.routes if not route.authorizer} == WITHOUT


def test_nothing_of_the_key_authorizer_is_cached(resources: dict[str, Any]) -> None:
    """A revoked key stops at once. And the identity source is one that a call with either header has."""
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
    """10 s: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html"""
    assert functions["CallerAuthorizerFunction"]["Timeout"] < 10
