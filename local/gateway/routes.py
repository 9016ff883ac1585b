"""Chooses the route of the HTTP API for a request, and reads its path parameters."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote

from local.template.resources import DEFAULT_ROUTE, Function, Route


@dataclass(frozen=True)
class Match:
    """The chosen route, its function and the path parameters."""

    function: Function
    route: Route
    parameters: dict[str, str]


class RouteTable:
    """All routes of the functions, ordered by precedence.

    The HTTP API chooses the most specific match: a route without a greedy variable before a route with one, $default
    last; a literal part before a variable, the longer path before the shorter, the named method before ANY. A path with
    a trailing slash is another path. Source: AWS API Gateway developer guide, "Create routes for HTTP APIs"
    (http-api-develop-routes), section "Routing API requests".
    """

    def __init__(self, functions: Iterable[Function]) -> None:
        self._entries = sorted(
            ((_split(route.path), route, function) for function in functions for route in function.routes),
            key=lambda entry: _precedence(entry[0], entry[1]),
        )

    def find(self, method: str, path: str) -> Match | None:
        """Return the match for a method and a path as the client sent it, None if there is no route."""
        parts = _split(delivered_path(path))
        for pattern, route, function in self._entries:
            if route.method in (method, "ANY"):
                parameters = {} if route.path == DEFAULT_ROUTE else _match(pattern, parts)
                if parameters is not None:
                    return Match(function, route, parameters)
        return None


def delivered_path(target: str) -> str:
    """Return the path by which API Gateway chooses a route, and which it passes on: decoded, then cut at a "?".

    So an encoded slash divides the path (github.com/aws/aws-lambda-dotnet/pull/1901), and what follows an encoded
    question mark is lost (captures in github.com/hotsock/voker/pull/8, from
    github.com/middleapi/standard-server/pull/93). Source of the decoding: "Create routes for HTTP APIs"
    (http-api-develop-routes).

    target: the path as the client sent it, with or without the query string.
    """
    return unquote(target.partition("?")[0]).partition("?")[0]


def _split(path: str) -> list[str]:
    return path.split("/")


def _precedence(pattern: list[str], route: Route) -> tuple[object, ...]:
    greedy = pattern[-1].endswith("+}")
    kinds = tuple(2 if part.endswith("+}") else 1 if part.startswith("{") else 0 for part in pattern)
    return (route.path == DEFAULT_ROUTE, greedy, -len(pattern), kinds, route.method == "ANY")


def _match(pattern: list[str], parts: list[str]) -> dict[str, str] | None:
    parameters = {}
    for position, expected in enumerate(pattern):
        if position >= len(parts):
            return None
        if expected.endswith("+}"):
            rest = "/".join(parts[position:])
            parameters[expected[1:-2]] = rest
            return parameters if rest else None
        if expected.startswith("{") and expected.endswith("}") and parts[position]:
            parameters[expected[1:-1]] = parts[position]
        elif expected != parts[position]:
            return None
    return parameters if len(pattern) == len(parts) else None
