"""The routes of a platform: what a request must prove, and what it is answered."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local.sandbox.exchange import Request, Response
from local.sandbox.problems import Problem
from local.sandbox.proofs import Proof

# The request, and the named groups of the route's path -> the response, or the status of an error.
Handler = Callable[[Request, Mapping[str, str]], Response | int]


@dataclass(frozen=True, slots=True)
class Route:
    """One route of a platform. path: a regular expression for the whole path."""

    method: str
    path: str
    proof: Proof
    handler: Handler


def fixed(content: Any, **headers: str) -> Handler:
    """Return a handler that answers 200 with the same content each time. headers: Request_Id is Request-Id."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _, __: Response(200, content, named)


def respond(routes: Sequence[Route], problem: Problem, request: Request) -> Response:
    """Return a platform's response: 404 for an unknown route, 401 without proof, or what the handler answers.

    Args:
        routes: the platform's; the first that fits answers.
        problem: words an error status as the platform does.
        request: what was sent.
    """
    for route in routes:
        found = re.fullmatch(route.path, request.path)
        if found is not None and route.method == request.method:
            said = route.handler(request, found.groupdict()) if route.proof(request) else 401
            return problem(said) if isinstance(said, int) else said
    return problem(404)
