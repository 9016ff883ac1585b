"""What every function's edge has: the bytes received, answers and failures, counted, and the entry point."""

import json
import re
from collections.abc import Callable
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from causeway.errors.requests import NotFound
from causeway.errors.service import Internal
from causeway.errors.tree import CausewayError

logger = Logger()
# One count per answer, under its code: OK, INSUFFICIENT_FUNDS, UNAVAILABLE, ...
metrics = Metrics(namespace="Causeway")
_MOST_OF_A_CAUSE = 500
_VARIABLE = re.compile(r"\{\w+\}")


def lambda_handler(
    app: APIGatewayHttpResolver, *, next_action: bool = True
) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    """Return the function's entry point: every event gets an answer, and none of them says anything internal.

    Args:
        app: the function's.
        next_action: whether its errors say what to do next; those to game providers have the fields agreed with them.
    """

    @app.not_found
    def not_found(_: Exception) -> Response[str]:
        request_id = app.current_event.raw_event["requestContext"]["requestId"]
        return failed(NotFound(), request_id, next_action=next_action)

    @app.exception_handler(Exception)
    def unexpected(error: Exception) -> Response[str]:
        logger.error("unexpected", exc_info=error)
        request_id = app.current_event.raw_event["requestContext"]["requestId"]
        return failed(Internal(cause=repr(error)), request_id, next_action=next_action)

    @logger.inject_lambda_context(correlation_id_path="requestContext.requestId")
    @metrics.log_metrics(capture_cold_start_metric=True)
    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        return app.resolve(_routed(event), context)

    return handler


def _routed(event: dict[str, Any]) -> dict[str, Any]:
    """Return an event whose path is its route's own, as API Gateway chose it.

    Powertools would match the decoded path again, by a pattern that knows fewer characters than ids have and lets a
    line break follow (https://github.com/aws-powertools/powertools-lambda-python/issues/1098). The edge reads the
    parameters from pathParameters.
    """
    path = event["routeKey"].partition(" ")[2]
    given = event.get("pathParameters") or {}
    if not given or {f"{{{name}}}" for name in given} != set(_VARIABLE.findall(path)):
        return event
    stage = event["requestContext"].get("stage", "$default")
    before = "" if stage == "$default" else f"/{stage}"
    return event | {"rawPath": before + _VARIABLE.sub("x", path)}


def failed(error: CausewayError, request_id: str, *, next_action: bool = True) -> Response[str]:
    """Return an error's answer; what went wrong on our side is logged, not told.

    Args:
        error: why there is no other answer.
        request_id: of the call.
        next_action: whether the answer says what to do next.
    """
    if error.status >= 500:
        # A cause may quote what a partner answered.
        logger.error((error.cause or error.sentence)[:_MOST_OF_A_CAUSE], extra={"code": error.code})
    body: dict[str, Any] = {"error": error.sentence, "code": error.code, "requestId": request_id}
    if next_action:
        body["nextAction"] = error.action
    body |= error.fields
    headers = {} if error.retry_after is None else {"retry-after": str(error.retry_after)}
    if error.version is not None:
        headers["etag"] = f'"{error.version}"'
    return json_answer(error.code, error.status, json.dumps(body, separators=(",", ":")), headers)


def count(code: str) -> None:
    """Count an answer under its code."""
    metrics.add_metric(name=code, unit="Count", value=1)


def json_answer(code: str, status: int, body: str, headers: dict[str, str]) -> Response[str]:
    """Return an answer with a JSON text, counted under its code."""
    count(code)
    return Response(status, "application/json", body, dict(headers))
