"""TikTok: https://developers.tiktok.com/doc."""

from local.sandbox.authentication import bearer
from local.sandbox.exchange import Response
from local.sandbox.problems import phrase, waits
from local.sandbox.routes import Route, fixed

CREDENTIALS = {"access_token": "act.sandbox-tiktok-token"}


def routes() -> list[Route]:
    """Return the route of the user that the token belongs to."""
    user = {"user": {"open_id": "723f24d7-e717-40f8-a2b6-cb8464cd23b4", "display_name": "Causeway sandbox"}}
    content = {"data": user, "error": {"code": "ok", "message": "", "log_id": "sandbox"}}
    return [Route("GET", "/v2/user/info/", bearer(CREDENTIALS["access_token"]), fixed(content))]


def problem(status: int) -> Response:
    """Return an error: https://developers.tiktok.com/doc/tiktok-api-v2-error-handling."""
    code = {401: "access_token_invalid", 403: "scope_not_authorized", 429: "rate_limit_exceeded"}.get(
        status, "internal_error"
    )
    content = {"data": {}, "error": {"code": code, "message": phrase(status), "log_id": "sandbox"}}
    return Response(status, content, waits(status))


def _throttled_day(_seconds: float) -> Response:
    """Return the refusal of a person's cap for the day, which is no missing right."""
    error = {"code": "spam_risk_too_many_posts", "message": "Too many posts were made today.", "log_id": "sandbox"}
    return Response(403, {"data": {}, "error": error})


def _throttled_business(_seconds: float) -> Response:
    """Return the answer of the Business API, which comes with status 200."""
    return Response(200, {"code": 40100, "message": "Too many requests", "request_id": "sandbox", "data": {}})


FAULTS = {"throttled_day": _throttled_day, "throttled_business": _throttled_business}
