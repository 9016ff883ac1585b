"""Who finds out who calls: the template's authorizers, against what the permissions say of machines."""

from typing import Any

import pytest

from causeway.openapi.document import make
from causeway.permissions import ALLOWED
from local import ROOT

CALLER = "CallerAuthorizer"


@pytest.fixture(scope="module")
def permissions() -> dict[str, str]:
    """The permission of each hub route, as its function declares it."""
    document = make(ROOT / "functions", ROOT / "schema")
    return {
        f"{method.upper()} {path}": operation["x-permission"]
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if "x-permission" in operation
    }


@pytest.fixture(scope="module")
def authorizers(functions: dict[str, dict[str, Any]]) -> dict[str, str | None]:
    """The authorizer of each route."""
    return {
        f"{event['Properties']['Method']} {event['Properties']['Path']}": event["Properties"]
        .get("Auth", {})
        .get("Authorizer")
        for own in functions.values()
        for event in own.get("Events", {}).values()
        if event["Type"] == "HttpApi"
    }


def test_keys_open_exactly_the_routes_that_machines_may_use(
    permissions: dict[str, str], authorizers: dict[str, str | None]
) -> None:
    """HUB 43: no key reaches a route of people alone; every route of the hub is behind an authorizer."""
    machines = {route for route, permission in permissions.items() if permission in ALLOWED["service"]}

    assert {route for route, name in authorizers.items() if name == CALLER} == machines
    assert {authorizers[route] for route in set(permissions) - machines} == {"TokenAuthorizer"}
    assert machines


def test_nothing_of_the_key_authorizer_is_cached(resources: dict[str, Any]) -> None:
    """API Gateway caches under identity sources, and without one not at all: a revoked key stops at once."""
    caller = resources["HttpApi"]["Properties"]["Auth"]["Authorizers"][CALLER]
    assert caller == {
        "FunctionArn": {"Ref": "CallerAuthorizerFunction.Alias"},
        "AuthorizerPayloadFormatVersion": "2.0",
        "EnableSimpleResponses": True,
        "EnableFunctionDefaultPermissions": True,
    }


def test_both_authorizers_take_the_same_tokens(resources: dict[str, Any], functions: dict[str, dict[str, Any]]) -> None:
    native = resources["HttpApi"]["Properties"]["Auth"]["Authorizers"]["TokenAuthorizer"]["JwtConfiguration"]
    ours = functions["CallerAuthorizerFunction"]["Environment"]["Variables"]
    assert native == {"issuer": ours["TOKEN_ISSUER"], "audience": [ours["TOKEN_AUDIENCE"]]}


def test_authorizer_answers_before_the_gateway_gives_up(functions: dict[str, dict[str, Any]]) -> None:
    """10 s: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html"""
    assert functions["CallerAuthorizerFunction"]["Timeout"] < 10
