"""The answers of all functions of the HTTP API, and the functions' entry point."""

import json
from collections.abc import Callable
from typing import Any

from aws_lambda_powertools import Logger

from causeway.aws.counts import count, published
from causeway.edge.http_events import HttpAnswer
from causeway.edge.routes import App
from causeway.errors.requests import NotFound
from causeway.errors.service import Internal, Unavailable
from causeway.errors.tree import CausewayError

logger = Logger()
# Characters of a cause that are logged.
_LONGEST_CAUSE = 500
# A metric with an alarm: answers of a function that could not do its work. A platform's failure is not counted.
UNAVAILABLE = "Unavailable"


def lambda_handler(app: App, *, next_action: bool = True) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    """Return the function's entry point: every event gets an answer, and no answer tells internal details.

    Args:
        app: the function's routes.
        next_action: whether error answers have nextAction; the protocol of game providers has no such field.
    """

    def answer(event: dict[str, Any], context: Any) -> HttpAnswer:
        request_id = event["requestContext"]["requestId"]
        try:
            return app.answer(event, context)
        except NotFound as error:
            return error_answer(error, request_id, next_action=next_action)
        except Exception as error:
            logger.exception("unexpected")
            return error_answer(Internal(cause=repr(error)), request_id, next_action=next_action)

    @logger.inject_lambda_context(correlation_id_path="requestContext.requestId")
    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        with published(context):
            return answer(event, context).as_result()

    return handler


def error_answer(error: CausewayError, request_id: str, *, next_action: bool = True) -> HttpAnswer:
    """Return the answer of an error; a 5xx error's cause is logged and not sent, and a fault of ours is counted.

    Args:
        error: the error.
        request_id: the call's id.
        next_action: whether the answer has nextAction.
    """
    if error.status >= 500:
        # Cut it: a cause may quote a partner's answer.
        logger.error((error.cause or error.sentence)[:_LONGEST_CAUSE], extra={"code": error.code})
    if isinstance(error, Unavailable):
        count(UNAVAILABLE)
    body = error_body(error, request_id, next_action=next_action)
    headers = {} if error.retry_after is None else {"retry-after": str(error.retry_after)}
    if error.version is not None:
        headers["etag"] = f'"{error.version}"'
    return json_answer(error.code, error.status, json.dumps(body, separators=(",", ":")), headers)


def error_body(error: CausewayError, request_id: str, *, next_action: bool) -> dict[str, Any]:
    """Return the fields of an error's answer; the arguments are error_answer's."""
    body: dict[str, Any] = {"error": error.sentence, "code": error.code, "requestId": request_id}
    return body | ({"nextAction": error.action} if next_action else {}) | error.fields


def json_answer(code: str, status: int, body: str, headers: dict[str, str]) -> HttpAnswer:
    """Return an answer with a JSON text. INTERNAL is counted, because Lambda counts no error where we answer."""
    if code == Internal.code:
        count(code)
    return HttpAnswer(status, "application/json", body, headers)
