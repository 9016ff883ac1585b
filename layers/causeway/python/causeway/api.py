"""The edge: from API Gateway's event to a call of the domain, and from its result or error to the answer."""

import json
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from causeway import callers, operations, settings, signatures, strict_json
from causeway.errors import BY_CODE, CausewayError, InvalidRequest, NotFound, PayloadTooLarge, RateLimited
from causeway.ledger import Answer

# Bytes of a request's body that are accepted.
MOST_BYTES = 16 * 1024

logger = Logger()
# One count per answer, under its code: OK, INSUFFICIENT_FUNDS, UNAVAILABLE, ...
metrics = Metrics(namespace="Causeway")


@dataclass(frozen=True, slots=True)
class Call:
    """A call whose sender has been proved: who, what, and under which id it is logged."""

    caller: callers.GameProvider
    body: dict[str, Any]
    request_id: str


def raw_body(event: dict[str, Any]) -> bytes:
    """Return the bytes the client sent.

    Raises:
        PayloadTooLarge: more than MOST_BYTES.
        InvalidRequest: the event's base64 is not.
    """
    body = event.get("body") or ""
    try:
        raw = b64decode(body, validate=True) if event.get("isBase64Encoded") else body.encode("utf-8", "surrogatepass")
    except ValueError as error:
        raise InvalidRequest("The body is not valid base64") from error
    if len(raw) > MOST_BYTES:
        raise PayloadTooLarge
    return raw


def signed_call(
    app: APIGatewayHttpResolver, direction: callers.Direction
) -> Callable[[Callable[[Call], Answer | dict[str, Any]]], Callable[[], Response[str]]]:
    """Make a route of a function that takes a call signed between game provider and casino.

    The signature is checked over the raw bytes before anything else is read from them; the answer, whatever it is, is
    signed with the same secret where it comes from the casino; only the answer to a fault of ours is not.

    Args:
        app: the resolver whose current event is answered.
        direction: who is called.
    """

    def decorate(route: Callable[[Call], Answer | dict[str, Any]]) -> Callable[[], Response[str]]:
        operations.guarded(route, "casino signature" if direction == "casino" else "provider signature")

        @wraps(route)
        def answer() -> Response[str]:
            event: dict[str, Any] = app.current_event.raw_event
            http = event["requestContext"]["http"]
            # Lower case on API Gateway, but not from `sam local`.
            headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
            request_id = event["requestContext"]["requestId"]
            secret = None
            try:
                raw = raw_body(event)
                caller, secret = callers.authenticate(
                    direction,
                    headers.get("x-provider-code", settings.default_game_provider()),
                    headers.get(f"x-{direction}-signature", ""),
                    http["method"],
                    event["rawPath"],
                    raw,
                )
                result = route(Call(caller, strict_json.parse_object(raw), request_id))
                response = _answered(result)
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
        operations.guarded(route, "launch token")

        @wraps(route)
        def answer() -> Response[str]:
            event: dict[str, Any] = app.current_event.raw_event
            context = event["requestContext"]
            claims = context.get("authorizer", {}).get("jwt", {}).get("claims", {})
            try:
                return _answered(route(strict_json.parse_object(raw_body(event)), claims))
            except CausewayError as error:
                return failed(error, context["requestId"])

        return answer

    return decorate


def lambda_handler(app: APIGatewayHttpResolver) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    """Return the function's entry point: every event gets an answer, and none of them says anything internal."""

    @app.not_found
    def not_found(_: Exception) -> Response[str]:
        return failed(NotFound(), app.current_event.raw_event["requestContext"]["requestId"])

    @app.exception_handler(Exception)
    def unexpected(error: Exception) -> Response[str]:
        logger.error("unexpected", exc_info=error)
        return failed(CausewayError(cause=repr(error)), app.current_event.raw_event["requestContext"]["requestId"])

    @logger.inject_lambda_context(correlation_id_path="requestContext.requestId")
    @metrics.log_metrics(capture_cold_start_metric=True)
    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        return app.resolve(event, context)

    return handler


def failed(error: CausewayError, request_id: str) -> Response[str]:
    """Return an error's answer; what went wrong on our side is logged, not told."""
    if error.status >= 500:
        logger.error(error.cause or error.sentence, extra={"code": error.code})
    body: dict[str, Any] = {"error": error.sentence, "code": error.code, "requestId": request_id}
    if error.balance is not None:
        body["balance"] = str(error.balance)
    wait = error.wait if isinstance(error, RateLimited) else error.retry_after
    headers = {} if wait is None else {"retry-after": str(wait)}
    return json_answer(error.code, error.status, json.dumps(body, separators=(",", ":")), headers)


def _answered(result: Answer | dict[str, Any]) -> Response[str]:
    if isinstance(result, Answer):
        status = 200 if result.code == "OK" else BY_CODE[result.code].status
        return json_answer(result.code, status, result.body, {"idempotent-replay": "true"} if result.replayed else {})
    return json_answer("OK", 200, json.dumps(result, separators=(",", ":")), {})


def json_answer(code: str, status: int, body: str, headers: dict[str, str]) -> Response[str]:
    """Return an answer with a JSON text, counted under its code."""
    metrics.add_metric(name=code, unit="Count", value=1)
    return Response(status, "application/json", body, dict(headers))
