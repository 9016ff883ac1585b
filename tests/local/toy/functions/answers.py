"""Functions that answer with what they were given."""

import os
from typing import Any


def echo(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """The event and the environment, as a result without statusCode."""
    print("echoing", event["rawPath"])  # noqa: T201 (a test looks for it in the log)
    return {
        "event": event,
        "environment": dict(os.environ),
        "function": context.function_name,
        "remaining": context.get_remaining_time_in_millis(),
    }


def given(event: dict[str, Any], context: Any) -> Any:
    """The result the caller wrote in the body."""
    import json

    return json.loads(event["body"])


def guard(event: dict[str, Any], context: Any) -> Any:
    """The answer of an authorizer that the caller wrote in x-answer; without one all pass, with the event."""
    import json

    given = event["headers"].get("x-answer")
    if given == "raise":
        raise RuntimeError("Unauthorized")
    return {"isAuthorized": True, "context": {"asked": event}} if given is None else json.loads(given)
