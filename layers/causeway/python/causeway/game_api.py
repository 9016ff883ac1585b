"""The edge of the games' functions: calls signed between game provider and casino, and launches by a player's token."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from causeway import game_providers, operations, settings, signatures, strict_json
from causeway.api import failed, json_answer, raw_body
from causeway.errors import BY_CODE, CausewayError
from causeway.ledger import Answer

# Bytes of a request's body that are accepted.
_MOST_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class SignedCall:
    """A call whose sender has been proved: who, what, and under which id it is logged."""

    caller: game_providers.GameProvider
    body: dict[str, Any]
    request_id: str


def signed_call(
    app: APIGatewayHttpResolver, direction: game_providers.Direction
) -> Callable[[Callable[[SignedCall], Answer | dict[str, Any]]], Callable[[], Response[str]]]:
    """Make a route of a function that takes a call signed between game provider and casino.

    The signature is checked over the raw bytes before anything else is read from them; the answer, whatever it is, is
    signed with the same secret where it comes from the casino; only the answer to a fault of ours is not.

    Args:
        app: the resolver whose current event is answered.
        direction: who is called.
    """

    def decorate(route: Callable[[SignedCall], Answer | dict[str, Any]]) -> Callable[[], Response[str]]:
        operations.guarded(
            route, operations.CASINO_SIGNATURE if direction == "casino" else operations.PROVIDER_SIGNATURE
        )

        @wraps(route)
        def answer() -> Response[str]:
            event: dict[str, Any] = app.current_event.raw_event
            http = event["requestContext"]["http"]
            # Lower case on API Gateway, but not from `sam local`.
            headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
            request_id = event["requestContext"]["requestId"]
            secret = None
            try:
                raw = raw_body(event, _MOST_BYTES)
                caller, secret = game_providers.authenticate(
                    direction,
                    headers.get("x-provider-code", settings.default_game_provider()),
                    headers.get(f"x-{direction}-signature", ""),
                    http["method"],
                    event["rawPath"],
                    raw,
                )
                response = _answered(route(SignedCall(caller, strict_json.parse_object(raw), request_id)))
            except CausewayError as error:
                response = failed(error, request_id)
            if secret is not None and direction == "casino":
                signature = signatures.sign_bare(secret, str(response.body).encode())
                response.headers["x-casino-response-signature"] = signature
            return response

        return answer

    return decorate


def open_call(
    app: APIGatewayHttpResolver,
) -> Callable[[Callable[..., dict[str, Any]]], Callable[[], Response[str]]]:
    """Make a route of a function that takes a JSON body and the claims that API Gateway's authorizer found, if any."""

    def decorate(route: Callable[[dict[str, Any], dict[str, str]], dict[str, Any]]) -> Callable[[], Response[str]]:
        operations.guarded(route, operations.LAUNCH_TOKEN)

        @wraps(route)
        def answer() -> Response[str]:
            event: dict[str, Any] = app.current_event.raw_event
            context = event["requestContext"]
            claims = context.get("authorizer", {}).get("jwt", {}).get("claims", {})
            try:
                return _answered(route(strict_json.parse_object(raw_body(event, _MOST_BYTES)), claims))
            except CausewayError as error:
                return failed(error, context["requestId"])

        return answer

    return decorate


def _answered(result: Answer | dict[str, Any]) -> Response[str]:
    if isinstance(result, Answer):
        status = 200 if result.code == "OK" else BY_CODE[result.code].status
        return json_answer(result.code, status, result.body, {"idempotent-replay": "true"} if result.replayed else {})
    return json_answer("OK", 200, json.dumps(result, separators=(",", ":")), {})
