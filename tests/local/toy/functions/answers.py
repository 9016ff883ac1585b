"""Functions that return their input."""

import os
from typing import Any


def echo(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Return the event and the environment variables, as a result without statusCode."""
    print("echoing", event["rawPath"])  # noqa: T201 (a test reads it in the log)
    return {
        "event": event,
        "environment": dict(os.environ),
        "function": context.function_name,
        "remaining": context.get_remaining_time_in_millis(),
    }


def given(event: dict[str, Any], context: Any) -> Any:
    """Return the result that the caller put into the body."""
    import json

    return json.loads(event["body"])


def guard(event: dict[str, Any], context: Any) -> Any:
    """Return the authorizer's response in the header x-answer; without it accept, with the event as context."""
    import json

    given = event["headers"].get("x-answer")
    if given == "raise":
        raise RuntimeError("Unauthorized")
    return {"isAuthorized": True, "context": {"asked": event}} if given is None else json.loads(given)
