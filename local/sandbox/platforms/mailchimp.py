"""Mailchimp's Marketing API: https://mailchimp.com/developer/marketing."""

from local.sandbox.authentication import basic, bearer
from local.sandbox.exchange import Request, Response
from local.sandbox.problems import phrase, waits
from local.sandbox.routes import Route, fixed

CREDENTIALS = {"api_key": "0123456789abcdef0123456789abcdef-us21", "data_center": "us21"}


def routes() -> list[Route]:
    """Return the route of the ping: https://mailchimp.com/developer/marketing/api/ping."""
    return [Route("GET", r"/3\.0/ping", _authenticated, fixed({"health_status": "Everything's Chimpy!"}))]


def _authenticated(request: Request) -> bool:
    """The key as the password of any user, or as a bearer token."""
    key = CREDENTIALS["api_key"]
    return basic("", key)(request) or bearer(key)(request)


def problem(status: int) -> Response:
    """Return an error: https://mailchimp.com/developer/marketing/docs/errors."""
    title = {401: "API Key Invalid", 404: "Resource Not Found", 500: "Internal Server Error"}.get(
        status, phrase(status)
    )
    content = {
        "type": "https://mailchimp.com/developer/marketing/docs/errors/",
        "title": title,
        "status": status,
        "detail": f"{title}.",
        "instance": "00000000-0000-0000-0000-000000000000",
    }
    return Response(status, content, waits(status), "application/problem+json")


def _throttled_bare(_seconds: float) -> Response:
    """Return the answer at a high volume, which is no JSON: https://mailchimp.com/developer/marketing/docs/fundamentals."""
    return Response(403, "<html><head><title>403 Forbidden</title></head></html>", content_type="text/html")


FAULTS = {"throttled_bare": _throttled_bare}
