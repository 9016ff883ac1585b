"""SendGrid: https://www.twilio.com/docs/sendgrid/api-reference."""

from collections.abc import Mapping

from local.sandbox.authentication import bearer
from local.sandbox.exchange import Response
from local.sandbox.problems import epoch, phrase, waits
from local.sandbox.routes import Route, fixed

CREDENTIALS = {"api_key": "SG.sandboxSendGridKey"}


def routes() -> list[Route]:
    """Return the route of the key's scopes."""
    return [Route("GET", "/v3/scopes", bearer(CREDENTIALS["api_key"]), fixed({"scopes": ["mail.send"]}))]


def problem(status: int) -> Response:
    """Return an error.

    https://www.twilio.com/docs/sendgrid/api-reference/how-to-use-the-sendgrid-v3-api/responses
    """
    message = {401: "The provided authorization grant is invalid, expired, or revoked", 403: "access forbidden"}.get(
        status, phrase(status).lower()
    )
    return Response(status, {"errors": [{"message": message, "field": None, "help": None}]}, waits(status))


def exhausted(seconds: float) -> Mapping[str, str]:
    """Return the headers of a window without a request left; the reset is in epoch seconds.

    https://www.twilio.com/docs/sendgrid/api-reference/how-to-use-the-sendgrid-v3-api/rate-limits
    """
    return {"X-RateLimit-Limit": "500", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": epoch(seconds)}


def _throttled(seconds: float) -> Response:
    content = {"errors": [{"field": None, "message": "too many requests"}]}
    return Response(429, content, exhausted(seconds))


FAULTS = {"throttled": _throttled}
