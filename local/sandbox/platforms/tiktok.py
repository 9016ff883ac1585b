"""TikTok: https://developers.tiktok.com/doc."""

from typing import Any

from local.sandbox.exchange import Response
from local.sandbox.oauth import AuthorizationServer, Grant, Vendor
from local.sandbox.problems import phrase, waits
from local.sandbox.routes import Route, fixed

CREDENTIALS = {"access_token": "act.sandbox-tiktok-token"}
OAUTH_APP = {"client_id": "sandboxtiktokkey", "client_secret": "sandbox-tiktok-secret"}


def routes() -> list[Route]:
    """Return the routes of the login, and of the user that the token belongs to."""
    login = AuthorizationServer("tiktok", _VENDOR, access=(CREDENTIALS["access_token"],))
    user = {"user": {"open_id": "723f24d7-e717-40f8-a2b6-cb8464cd23b4", "display_name": "Causeway sandbox"}}
    content = {"data": user, "error": {"code": "ok", "message": "", "log_id": "sandbox"}}
    return [
        *login.routes("/v2/auth/authorize/", "/v2/oauth/token/"),
        Route("GET", "/v2/user/info/", login.authenticate, fixed(content)),
    ]


def _token(grant: Grant, _: bool) -> dict[str, Any]:
    """https://developers.tiktok.com/doc/oauth-user-access-token-management."""
    return {
        "open_id": "723f24d7-e717-40f8-a2b6-cb8464cd23b4",
        "scope": ",".join(grant.scopes),
        "access_token": grant.access_token,
        "expires_in": 7200,
        "refresh_token": grant.refresh_token,
        "refresh_expires_in": 15_552_000,
        "token_type": "Bearer",
    }


def _refusal(_: int, error: str, description: str) -> Response:
    """Return an error with the status 200, as TikTok's token endpoint does."""
    return Response(200, {"error": error, "error_description": description, "log_id": "sandbox"})


_VENDOR = Vendor(
    client_id=OAUTH_APP["client_id"],
    client_secret=OAUTH_APP["client_secret"],
    answer=_token,
    refusal=_refusal,
    client_parameter="client_key",
    separator=",",
    pkce="S256_hex",
    # The code is percent-encoded once more than the query.
    code_ending="%2A1",
    refresh="rotated",
)


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
