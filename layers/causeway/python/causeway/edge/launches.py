"""The edge of the functions that launch games: the launcher is a player, or acts for a player of its tenant."""

import json
from collections.abc import Callable
from typing import Any, Unpack

from causeway import settings
from causeway.database import postgres
from causeway.edge.answers import error_answer, json_answer
from causeway.edge.http_events import HttpAnswer, headers_of, raw_body
from causeway.edge.routes import CALLER_REFUSES, App, Authentication, Declaration, Documentation, models_of
from causeway.errors.casino import LaunchUnavailable
from causeway.errors.requests import InvalidRequest
from causeway.errors.tenancy import TokenRequired
from causeway.errors.tree import CausewayError
from causeway.tenancy.authorizer_context import AuthorizerContext
from causeway.tenancy.context import RequestContext
from causeway.tenancy.launcher import Launcher
from causeway.wire import strict_json
from causeway.wire.models import Answer, NoQuery

# Refuse these headers: a launch cannot keep their promise, because it always makes a new session.
_REFUSED_HEADERS = ("Idempotency-Key", "If-Match")

LAUNCH = Authentication(
    "Called with the player's own token, or with a token or an API key (the local stage takes a call without either)",
    (*CALLER_REFUSES, "TOKEN_REQUIRED", "PAYLOAD_TOO_LARGE"),
    ("token", "apiKey"),
    ("X-Tenant-Id",),
    unavailable=LaunchUnavailable,
)


_Function = Callable[[Launcher, Any], Answer | dict[str, Any]]


def route(
    app: App,
    method: str,
    path: str,
    *,
    admit: Callable[[Launcher, str | None], None],
    **documentation: Unpack[Documentation],
) -> Callable[[_Function], _Function]:
    """Make a route of a function that launches a game for a player; template.yaml has it behind CallerAuthorizer.

    The function gets the launcher and the body, parsed into the model that annotates its parameter `body`. The caller's
    identity, and whether the caller may launch games at all, are checked before the body is read. A launch takes no
    parameters in the query string.

    Args:
        app: the function's routes.
        method: POST.
        path: as template.yaml has it.
        admit: called with the launcher and X-Tenant-Id; raises the error that refuses the launcher.
        documentation: of the answers.
    """

    def decorate(function: _Function) -> _Function:
        model, _ = models_of(function)

        def answer(event: dict[str, Any], _: Any) -> HttpAnswer:
            try:
                launcher = _admitted(event, admit)
                NoQuery.parse(event.get("queryStringParameters") or {})
                body = strict_json.parse_object(raw_body(event))
                answered = function(launcher, body if model is None else model.parse(body))
            except CausewayError as error:
                return error_answer(LAUNCH.told(error), event["requestContext"]["requestId"])
            text = answered.as_text() if isinstance(answered, Answer) else json.dumps(answered, separators=(",", ":"))
            return json_answer("OK", 200, text, {})

        app.add(Declaration(method, path, function, LAUNCH, "games.launch", model, documentation), answer)
        return function

    return decorate


def _admitted(event: dict[str, Any], admit: Callable[[Launcher, str | None], None]) -> Launcher:
    headers = headers_of(event)
    launcher = _launcher(event["requestContext"], headers)
    admit(launcher, headers.get("x-tenant-id"))
    for name in _REFUSED_HEADERS:
        if name.lower() in headers:
            raise InvalidRequest(f"A launch does not support {name}: leave it out")
    return launcher


def _launcher(context: dict[str, Any], headers: dict[str, str]) -> Launcher:
    """Return the launcher, as CallerAuthorizer authenticated it.

    Args:
        context: the event's requestContext.
        headers: by name in lower case.

    Raises:
        TokenRequired: neither a token nor a key was sent; the local stage allows that.
        CausewayError: as AuthorizerContext.player and AuthorizerContext.caller raise it.
    """
    casino = postgres.current()
    if "authorization" not in headers and "x-api-key" not in headers:
        tenant_id = settings.default_tenant_id() if settings.stage() == "local" else None
        if tenant_id is None:
            raise TokenRequired
        return Launcher(casino, tenant_id, None)
    found = AuthorizerContext.parse(context.get("authorizer", {}))
    player_id, player = found.player()
    caller = player or found.caller(headers.get("x-tenant-id"))
    request = RequestContext(caller, context["http"]["sourceIp"], context["requestId"], casino)
    return Launcher(casino, caller.tenant, request, player_id)
