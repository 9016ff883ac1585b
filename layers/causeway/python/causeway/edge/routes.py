"""The routes of the HTTP API: each is declared once, beside its function, and registered with Powertools.

A function file uses the `route` of its kind of caller: edge.hub, edge.games, edge.launches or edge.public.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypedDict

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

# A parameter of a path: {connection_id}.
VARIABLE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Proof:
    """One way to prove who calls, and what the document says of every route that asks for it.

    Attributes:
        sentence: who calls, for people; the roles follow where a route asks for a permission.
        refuses: error codes that every such route can answer.
        security: names of security schemes (tools.openapi.document); one of them is enough.
        headers: names of headers (tools.openapi.schemas.parameters).
        gateway: whether API Gateway itself refuses callers, by a 401 without a code.
        hub: whether the route is the hub's: its changes take If-Match and Idempotency-Key.
        signed: whether game provider and casino call each other by it.
    """

    sentence: str
    refuses: tuple[str, ...]
    security: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    gateway: bool = False
    hub: bool = False
    signed: bool = False


FAULTS = ("INTERNAL", "UNAVAILABLE")
# Of every route that people and machines call with a token or an API key.
CALLER_REFUSES = ("INVALID_REQUEST", "TENANT_REQUIRED", "UNAUTHORIZED", "FORBIDDEN", "TENANT_NOT_FOUND", *FAULTS)


class Documentation(TypedDict, total=False):
    """What a route says of its answers for the API's document; it never changes how a call is answered.

    Attributes:
        response: the schema of the answer's JSON (tools.openapi.schemas); missing: the answer has no JSON.
        status: the answer's status, 200 where it is missing.
        query: the schema whose properties are the query's parameters.
        refuses: error codes, beyond those of the route's Proof.
        media_types: of the answer; the schema is the first type's.
    """

    response: str
    status: int
    query: str
    refuses: tuple[str, ...]
    media_types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Declaration:
    """A route: where it is, who may call it, and what it takes and answers.

    Attributes:
        path: as template.yaml has it: /integrations/{connection_id}.
        function: the function that makes the answer.
        permission: what the caller's role must have.
        request: the schema of the body; None: the route takes no body.
        documentation: of its answers.
    """

    method: str
    path: str
    function: Any
    proof: Proof
    permission: str | None
    request: str | None
    documentation: Documentation

    @property
    def key(self) -> str:
        """Method and path: GET /integrations."""
        return f"{self.method} {self.path}"


_DECLARED: dict[APIGatewayHttpResolver, list[Declaration]] = {}


def register(app: APIGatewayHttpResolver, declaration: Declaration, answer: Callable[..., Response[str]]) -> None:
    """Have the resolver answer the declared route, and remember the declaration.

    Args:
        app: the function's resolver.
        declaration: the route's.
        answer: called for each call of the route; the path's parameters are its keyword arguments.
    """
    app.route(VARIABLE.sub(r"<\1>", declaration.path), method=declaration.method)(answer)
    _DECLARED.setdefault(app, []).append(declaration)


def declared(app: APIGatewayHttpResolver) -> dict[str, Declaration]:
    """Return the declared routes of a resolver, by method and path."""
    return {declaration.key: declaration for declaration in _DECLARED.get(app, ())}
