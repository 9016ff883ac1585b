"""LinkedIn: https://learn.microsoft.com/linkedin."""

from dataclasses import replace
from typing import Any

from local.sandbox.exchange import Response
from local.sandbox.oauth import AuthorizationServer, Grant, Vendor
from local.sandbox.problems import phrase, waits, without_wait
from local.sandbox.routes import Route, fixed

CREDENTIALS = {"access_token": "sandbox-linkedin-token"}
OAUTH_APP = {"client_id": "sandbox-linkedin-client", "client_secret": "sandbox-linkedin-secret"}


def routes() -> list[Route]:
    """Return the routes of the login, and of the member that the token belongs to."""
    login = AuthorizationServer("linkedin", _VENDOR, access=(CREDENTIALS["access_token"],))
    person = {"sub": "782bbtaQ", "name": "Causeway sandbox", "email_verified": True}
    return [
        *login.routes("/oauth/v2/authorization", "/oauth/v2/accessToken"),
        Route("GET", "/v2/userinfo", login.authenticate, fixed(person)),
    ]


def _token(grant: Grant, _: bool) -> dict[str, Any]:
    """https://learn.microsoft.com/linkedin/shared/authentication/authorization-code-flow."""
    more = {"refresh_token": grant.refresh_token, "refresh_token_expires_in": 31_536_000}
    content = {"access_token": grant.access_token, "expires_in": 5_184_000, "scope": ",".join(grant.scopes)}
    return {**content, **more}


# A web app must send no verifier: https://github.com/teamhanko/hanko/issues/2405; nor Basic:
# https://github.com/authlib/authlib/issues/719.
_VENDOR = Vendor(
    client_id=OAUTH_APP["client_id"],
    client_secret=OAUTH_APP["client_secret"],
    answer=_token,
    pkce="refused",
    declined={"error": "user_cancelled_login", "error_description": "The user cancelled LinkedIn login"},
    refresh="kept",
)


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
