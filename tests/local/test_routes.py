"""Route precedence of an HTTP API; the routes and requests are those of AWS's own example.

Source: AWS API Gateway developer guide, "Create routes for HTTP APIs" (http-api-develop-routes).
"""

from pathlib import Path

import pytest

from local.gateway.routes import RouteTable
from local.template.resources import DEFAULT_ROUTE, Function, Route


def _table(*keys: str) -> RouteTable:
    routes = []
    for key in keys:
        method, _, path = key.rpartition(" ")
        routes.append(Route(method or "ANY", path, None))
    function = Function("F", "f", "f", Path(), "f.f", 3, 128, None, "Text", {}, (), tuple(routes))
    return RouteTable([function])


DOCUMENTED = ("GET /pets/dog/1", "GET /pets/dog/{id}", "GET /pets/{proxy+}", "ANY /{proxy+}", DEFAULT_ROUTE)


@pytest.mark.parametrize(
    ("method", "path", "key"),
    [
        ("GET", "/pets/dog/1", "GET /pets/dog/1"),
        ("GET", "/pets/dog/2", "GET /pets/dog/{id}"),
        ("GET", "/pets/cat/1", "GET /pets/{proxy+}"),
        ("POST", "/test/5", "ANY /{proxy+}"),
        ("GET", "/", DEFAULT_ROUTE),
    ],
)
def test_most_specific_route_is_chosen(method: str, path: str, key: str) -> None:
    for keys in (DOCUMENTED, tuple(reversed(DOCUMENTED))):
        match = _table(*keys).find(method, path)

        assert match is not None
        assert match.route.key == key


def test_named_method_comes_before_any() -> None:
    match = _table("ANY /a", "POST /a").find("POST", "/a")

    assert match is not None
    assert match.route.key == "POST /a"


def test_path_parameters_are_decoded() -> None:
    match = _table("GET /webhooks/{kind}/{id}").find("GET", "/webhooks/lead%20new/a%22%23%5C%60%3Db")

    assert match is not None
    assert match.parameters == {"kind": "lead new", "id": 'a"#\\`=b'}


def test_encoded_slash_divides_the_path() -> None:
    """HUB 52: the path is decoded before its route is chosen."""
    table = _table("GET /webhooks/{id}", "GET /webhooks/{id}/test")
    match = table.find("GET", "/webhooks/a%2Ftest")

    assert table.find("GET", "/webhooks/a%2Fb") is None
    assert match is not None
    assert (match.route.path, match.parameters) == ("/webhooks/{id}/test", {"id": "a"})


def test_path_ends_at_an_encoded_question_mark() -> None:
    """HUB 52: the rest is not passed on."""
    match = _table("GET /webhooks/{id}").find("GET", "/webhooks/a%3Fb/c")

    assert match is not None
    assert match.parameters == {"id": "a"}


def test_greedy_parameter_takes_the_rest_of_the_path() -> None:
    match = _table("ANY /console/{proxy+}").find("GET", "/console/a/b/")

    assert match is not None
    assert match.parameters == {"proxy": "a/b/"}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/casino/debit"),
        ("POST", "/casino/debit/"),
        ("POST", "/casino"),
        ("POST", "/Casino/debit"),
        ("POST", "/x/"),
    ],
)
def test_no_route_matches(method: str, path: str) -> None:
    assert _table("POST /casino/debit", "POST /x/{id}", "POST /y/{proxy+}").find(method, path) is None
