"""LinkedIn: https://learn.microsoft.com/linkedin."""

from dataclasses import replace

from local.sandbox.authentication import bearer
from local.sandbox.exchange import Response
from local.sandbox.problems import phrase, waits, without_wait
from local.sandbox.routes import Route, fixed

CREDENTIALS = {"access_token": "sandbox-linkedin-token"}


def routes() -> list[Route]:
    """Return the route of the member that the token belongs to."""
    person = {"sub": "782bbtaQ", "name": "Causeway sandbox", "email_verified": True}
    return [Route("GET", "/v2/userinfo", bearer(CREDENTIALS["access_token"]), fixed(person))]


def problem(status: int) -> Response:
    """Return an error: https://learn.microsoft.com/linkedin/shared/api-guide/concepts/error-handling."""
    service = {401: 65600, 403: 100, 429: 101}.get(status, 0)
    code = {401: "INVALID_ACCESS_TOKEN", 403: "ACCESS_DENIED", 429: "TOO_MANY_REQUESTS"}.get(status, "ERROR")
    content = {"status": status, "serviceErrorCode": service, "code": code, "message": phrase(status)}
    return Response(status, content, waits(status))


def _throttled(_seconds: float) -> Response:
    """Return the answer until midnight UTC: https://learn.microsoft.com/linkedin/shared/api-guide/concepts/rate-limits."""
    message = "Resource level throttle limit for calls to this resource is reached."
    response = without_wait(problem(429))
    return replace(response, content={**response.content, "message": message})


def _overloaded(_seconds: float) -> Response:
    return without_wait(problem(429))


FAULTS = {"throttled": _throttled, "overloaded": _overloaded}
