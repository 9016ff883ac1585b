"""POST /_local/schedules/<function>: calls a scheduled function now."""

import json
from collections.abc import Awaitable, Callable

from local.errors import FunctionError, Throttled
from local.gateway.translation import Answer


async def start(call: Callable[[], Awaitable[bytes]], _body: bytes, request_id: str) -> Answer:
    """Answer the function's result, or 502 with its error.

    Args:
        call: calls the function; raises FunctionError and Throttled.
        request_id: of the answer.
    """
    try:
        return Answer(200, await call(), {"content-type": "application/json"})
    except (FunctionError, Throttled) as error:
        sentence = str(error) or "it has reached its concurrency limit"
        refusal = {
            "error": f"The function failed: {sentence}",
            "code": "FUNCTION_FAILED",
            "requestId": request_id,
            "nextAction": "Read the function's log in .local/logs.",
        }
        return Answer(502, json.dumps(refusal).encode(), {"content-type": "application/json"})
