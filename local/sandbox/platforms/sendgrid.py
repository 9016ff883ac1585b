"""SendGrid: https://www.twilio.com/docs/sendgrid/api-reference."""

from local.sandbox.authentication import bearer
from local.sandbox.exchange import Response
from local.sandbox.problems import phrase, waits
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
