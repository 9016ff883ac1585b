"""The routes of the HTTP API: each is declared once, beside its function, in the function file's App.

API Gateway chooses the route before it calls a function, and names it in the event. So the path is not matched again.

A function file uses the `route` of its kind of caller: edge.hub, edge.games, edge.launches or edge.public.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypedDict

from causeway.edge.http_events import HttpAnswer
from causeway.errors.requests import NotFound
from causeway.errors.service import Unavailable
from causeway.errors.tree import CausewayError

# Makes the answer to an event, with Lambda's context of the call.
Respond = Callable[[dict[str, Any], Any], HttpAnswer]

# A model of causeway.wire.models. The signed calls' functions do not load pydantic: they give the name of a model of
# tools/openapi/signed_calls.py.
Model = type[Any] | str

# A parameter of a path: {connection_id}.
VARIABLE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Authentication:
    """A way to authenticate the caller of a route, as the API's document describes it.

    Attributes:
        sentence: who calls, in words; the roles follow where a route asks for a permission.
        refuses: error codes of every such route.
        security: names of security schemes (tools.openapi.document); the caller needs one of them.
        headers: names of headers (tools.openapi.parameters).
        gateway: whether API Gateway itself answers 401, without a code, to an unauthenticated caller.
        hub: whether the route is the hub's: its changes take If-Match and Idempotency-Key.
        unavailable: the error that tells these callers of UNAVAILABLE: its action says what a retry does.
    """

    sentence: str
    refuses: tuple[str, ...]
    security: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    gateway: bool = False
    hub: bool = False
    unavailable: type[Unavailable] = Unavailable

    def told(self, error: CausewayError) -> CausewayError:
        """Return an error for these callers: UNAVAILABLE without an action of its own gets the one right for them."""
        if error.code != Unavailable.code or isinstance(error, self.unavailable):
            return error
        sentence = "" if error.sentence == Unavailable().sentence else error.sentence
        told = self.unavailable(sentence, cause=error.cause, action=vars(error).get("action", ""))
        told.retry_after = error.retry_after
        return told


FAULTS = ("INTERNAL", "UNAVAILABLE")
# Error codes of every route that people and machines call with a token or an API key.
CALLER_REFUSES = ("INVALID_REQUEST", "TENANT_REQUIRED", "UNAUTHORIZED", "FORBIDDEN", "TENANT_NOT_FOUND", *FAULTS)


class Documentation(TypedDict, total=False):
    """A route's description for the API's document; it never changes how a call is answered.

    Attributes:
        response: the model of the answer's JSON; missing: the answer has no JSON.
        status: the answer's status, 200 where it is missing.
        refuses: error codes, besides those of the route's Authentication.
        media_types: of the answer; the schema is the first type's.
        further: other statuses of the same kind of answer.
    """

    response: Model
    status: int
    refuses: tuple[str, ...]
    media_types: tuple[str, ...]
    further: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Declaration:
    """A route: its method and path, its callers, its request and its answers.

    Attributes:
        path: as template.yaml has it: /integrations/{connection_id}.
        function: the function that makes the answer.
        permission: what the caller's role must have.
        request: the model of the body; None: the route takes no body.
        query: the model of the query's parameters.
        documentation: of its answers.
    """

    method: str
    path: str
    function: Any
    authentication: Authentication
    permission: str | None
    request: Model | None
    documentation: Documentation
    query: type[Any] | None = None

    @property
    def key(self) -> str:
        """Method and path, as API Gateway names the route: GET /integrations."""
        return f"{self.method} {self.path}"


class DeclaredTwice(Exception):
    """A function declares a route twice: API Gateway has it once"""


def models_of(function: Callable[..., Any]) -> tuple[type[Any] | None, type[Any] | None]:
    """Return the models of a function's parameters `body` and `query`, as it annotates them; None: no such parameter.

    The edge parses the body and the query into these models and passes them to the function.
    """
    return function.__annotations__.get("body"), function.__annotations__.get("query")


class App:
    """The routes of a function file."""

    def __init__(self) -> None:
        self._routes: dict[str, tuple[Declaration, Respond]] = {}

    @property
    def declarations(self) -> list[Declaration]:
        """The declared routes, in their order."""
        return [declaration for declaration, _ in self._routes.values()]

    def add(self, declaration: Declaration, respond: Respond) -> None:
        """Add a route.

        Args:
            declaration: the route's.
            respond: makes the answer to each event; http_events.path_of has the path's parameters.

        Raises:
            DeclaredTwice: the app has the route already, maybe with other names of its parameters.
        """
        for other in self.declarations:
            if _nameless(other.key) == _nameless(declaration.key):
                raise DeclaredTwice(f"{declaration.key} is declared twice, before as {other.key}")
        self._routes[declaration.key] = declaration, respond

    def answer(self, event: dict[str, Any], context: Any) -> HttpAnswer:
        """Return the answer of the event's route; raises NotFound if the function has no such route."""
        if event["routeKey"] not in self._routes:
            raise NotFound
        _, respond = self._routes[event["routeKey"]]
        return respond(event, context)


def _nameless(key: str) -> str:
    """Return a route's key without the names of its parameters."""
    return VARIABLE.sub("{}", key).upper()
