"""The routes of a platform: the required authentication and the response."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local.sandbox.authentication import Authentication
from local.sandbox.exchange import Request, Response
from local.sandbox.problems import Problem

# The request, and the named groups of the route's path -> the response, or the status of an error.
Handler = Callable[[Request, Mapping[str, str]], Response | int]


@dataclass(frozen=True, slots=True)
class Route:
    """One route of a platform.

    Attributes:
        path: a regular expression for the whole path.
    """

    method: str
    path: str
    authentication: Authentication
    handler: Handler


def fixed(content: Any, **headers: str) -> Handler:
    """Return a handler that always answers 200 with this content. headers: Request_Id stands for Request-Id."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _, __: Response(200, content, named)


def respond(routes: Sequence[Route], problem: Problem, request: Request) -> Response:
    """Return a platform's response: the handler's, 404 for an unknown route, or 401 without the authentication.

    Args:
        routes: the platform's; the first that matches is used.
        problem: makes the platform's error response for a status.
        request: what was sent.
    """
    for route in routes:
        found = re.fullmatch(route.path, request.path)
        if found is not None and route.method == request.method:
            answer = route.handler(request, found.groupdict()) if route.authentication(request) else 401
            return problem(answer) if isinstance(answer, int) else answer
    return problem(404)
