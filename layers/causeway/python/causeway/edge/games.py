"""The edge of the functions that casino and game provider call each other by: signed calls."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from causeway import settings
from causeway.casino.ledger import Answer
from causeway.database import postgres
from causeway.database.postgres import BUDGET, Database
from causeway.deadlines import Deadline
from causeway.edge import operations
from causeway.edge.answers import failed, headers_of, json_answer, raw_body
from causeway.errors.casino import WalletUnavailable
from causeway.errors.game_signing import SignatureInvalid
from causeway.errors.service import Unavailable
from causeway.errors.tree import BY_CODE, CausewayError
from causeway.game_signing import callers, signatures
from causeway.wire import strict_json


@dataclass(frozen=True, slots=True)
class SignedCall:
    """A call whose sender has been proved: who, what, under which id it is logged, and the database within its time."""

    caller: callers.GameProvider
    body: dict[str, Any]
    request_id: str
    database: Database


def signed_call(
    app: APIGatewayHttpResolver,
    direction: callers.Direction,
    is_known: Callable[[Database, callers.Direction, str], bool] = callers.is_known,
) -> Callable[[Callable[[SignedCall], Answer | dict[str, Any]]], Callable[[], Response[str]]]:
    """Make a route of a function that takes a call signed between game provider and casino.

    The signature is checked over the raw bytes before anything else is read from them; the answer, whatever it is, is
    signed with the same secret where it comes from the casino; only the answer to a fault of ours is not.

    Args:
        app: the resolver whose current event is answered.
        direction: who is called.
        is_known: tells whether a game provider of a code exists.
    """

    def decorate(route: Callable[[SignedCall], Answer | dict[str, Any]]) -> Callable[[], Response[str]]:
        operations.guarded(
            route, operations.CASINO_SIGNATURE if direction == "casino" else operations.PROVIDER_SIGNATURE
        )

        @wraps(route)
        def answer() -> Response[str]:
            event: dict[str, Any] = app.current_event.raw_event
            request_id = event["requestContext"]["requestId"]
            deadline = Deadline(BUDGET)
            in_time = postgres.current().within(deadline)
            secret = None
            try:
                raw = raw_body(event)
                if not is_known(in_time, direction, _code(event)):
                    raise SignatureInvalid
                caller, secret = callers.authenticate(
                    direction,
                    _code(event),
                    headers_of(event).get(f"x-{direction}-signature", ""),
                    event["requestContext"]["http"]["method"],
                    event["rawPath"],
                    raw,
                    deadline,
                )
                call = SignedCall(caller, strict_json.parse_object(raw), request_id, in_time)
                response = _answered(route(call))
            except CausewayError as error:
                response = failed(_of_money(error), request_id, next_action=False)
            if secret is not None and direction == "casino":
                signature = signatures.sign_bare(secret, str(response.body).encode())
                response.headers["x-casino-response-signature"] = signature
            return response

        return answer

    return decorate


def _of_money(error: CausewayError) -> CausewayError:
    """Return an error as a game provider is told it: a retry of a call to the wallet moves money once."""
    return WalletUnavailable(cause=error.cause) if type(error) is Unavailable else error


def _code(event: dict[str, Any]) -> str:
    return headers_of(event).get("x-provider-code", settings.default_game_provider())


def _answered(result: Answer | dict[str, Any]) -> Response[str]:
    if isinstance(result, Answer):
        status = 200 if result.code == "OK" else BY_CODE[result.code].status
        return json_answer(result.code, status, result.body, {"idempotent-replay": "true"} if result.replayed else {})
    return json_answer("OK", 200, json.dumps(result, separators=(",", ":")), {})
