"""The edge of the functions that launch games: who launches, for a player or as one."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from causeway import database, hub_api, operations, settings, strict_json
from causeway.api import failed, json_answer, raw_body
from causeway.context import RequestContext
from causeway.errors import CausewayError, TenantNotFound, TokenRequired, Unauthorized
from causeway.fields import uuid_or
from causeway.game_sessions import Launcher
from causeway.identity import Caller

# Bytes of a request's body that are accepted.
_MOST_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class LaunchCall:
    """A call to launch a game: what was sent, and who sent it."""

    body: dict[str, Any]
    launcher: Launcher


def launch_call(
    app: APIGatewayHttpResolver,
) -> Callable[[Callable[[LaunchCall], dict[str, Any]]], Callable[[], Response[str]]]:
    """Make a route of a function that launches a game for a player; template.yaml has it behind CallerAuthorizer."""

    def decorate(route: Callable[[LaunchCall], dict[str, Any]]) -> Callable[[], Response[str]]:
        operations.guarded(route, operations.LAUNCH, "games.launch")

        @wraps(route)
        def answer() -> Response[str]:
            event: dict[str, Any] = app.current_event.raw_event
            try:
                launcher = _launcher(event)
                body = strict_json.parse_object(raw_body(event, _MOST_BYTES))
                answered = json.dumps(route(LaunchCall(body, launcher)), separators=(",", ":"))
                return json_answer("OK", 200, answered, {})
            except CausewayError as error:
                return failed(error, event["requestContext"]["requestId"])

        return answer

    return decorate


def _launcher(event: dict[str, Any]) -> Launcher:
    """Return who wants to launch, as CallerAuthorizer found out.

    Raises:
        TokenRequired: no token and no key; on a laptop that is allowed.
        CausewayError: as hub_api.caller_of.
    """
    # Lower case on API Gateway, but not from `sam local`.
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    context, casino = event["requestContext"], database.current()
    if "authorization" not in headers and "x-api-key" not in headers:
        if settings.stage() != "local" or not settings.default_tenant_id():
            raise TokenRequired
        return Launcher(casino, settings.default_tenant_id(), None)
    authorizer = context.get("authorizer", {})
    claims = authorizer.get("lambda", {})
    player_id = _player_id(claims)
    # A player is in no group; who is in one may launch by his role too.
    if player_id is not None and "cognito:groups" not in claims:
        caller = _player(claims)
    else:
        caller = hub_api.caller_of(authorizer, headers.get("x-tenant-id"))
    request = RequestContext(caller, context["http"]["sourceIp"], context["requestId"], casino)
    return Launcher(casino, caller.tenant, request, player_id)


def _player_id(claims: dict[str, str]) -> int | None:
    """Return the player that a token is of, None where it is no player's; raises Unauthorized: unreadable."""
    text = claims.get("custom:player_id")
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise Unauthorized(cause="the token's custom:player_id is no player's id")
    return int(text)


def _player(claims: dict[str, str]) -> Caller:
    if claims.get("token_use", "id") != "id" or not claims.get("sub"):
        raise Unauthorized(cause="not a player's ID token")
    if not claims.get("custom:tenant_id"):
        raise Unauthorized(cause="the token has no custom:tenant_id")
    return Caller("person", claims["sub"], "player", str(uuid_or(claims["custom:tenant_id"], TenantNotFound)))
