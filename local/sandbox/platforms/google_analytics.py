"""Google Analytics' Admin and Data APIs: https://developers.google.com/analytics/devguides/reporting/data/v1."""

from collections.abc import Mapping
from typing import Any

from local.sandbox.exchange import Request, Response
from local.sandbox.oauth import AuthorizationServer, Grant, Vendor
from local.sandbox.problems import phrase, waits
from local.sandbox.routes import Route, fixed

CREDENTIALS = {
    "property_id": "213025502",
    "client_id": "sandbox.apps.googleusercontent.com",
    "client_secret": "sandbox-google-secret",
    "refresh_token": "1//sandbox-google-refresh-token",
}
OAUTH_APP = {"client_id": CREDENTIALS["client_id"], "client_secret": CREDENTIALS["client_secret"]}


def routes() -> list[Route]:
    """Return the routes: the login, the property's metadata, and the account summaries."""
    login = AuthorizationServer("google", _VENDOR, refresh=(CREDENTIALS["refresh_token"],))
    return [
        *login.routes("/o/oauth2/v2/auth", "/token"),
        Route("GET", r"/v1beta/(?P<name>properties/\d+)/metadata", login.authenticate, _metadata),
        Route("GET", "/v1beta/accountSummaries", login.authenticate, fixed({"accountSummaries": []})),
    ]


def _token(grant: Grant, first: bool) -> dict[str, Any]:
    """Return the token endpoint's answer: a refresh token is in the first answer only.

    https://developers.google.com/identity/protocols/oauth2/web-server#offline
    """
    content = {"access_token": grant.access_token, "token_type": "Bearer", "expires_in": 3599}
    scopes = grant.scopes or ("https://www.googleapis.com/auth/analytics.readonly",)
    return {**content, "scope": " ".join(scopes), **({"refresh_token": grant.refresh_token} if first else {})}


_VENDOR = Vendor(
    client_id=OAUTH_APP["client_id"],
    client_secret=OAUTH_APP["client_secret"],
    answer=_token,
    pkce="S256",
    takes_basic=True,
    refresh="kept",
)


def _metadata(_: Request, path: Mapping[str, str]) -> Response | int:
    """Answer the metadata of the account's property; another property is forbidden."""
    name = f"properties/{CREDENTIALS['property_id']}"
    if path["name"] != name:
        return 403
    return Response(200, {"name": f"{name}/metadata", "dimensions": [], "metrics": []})


def problem(status: int) -> Response:
    """Return an error: https://cloud.google.com/apis/design/errors."""
    name = {401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED"}.get(
        status, "INTERNAL"
    )
    return Response(status, {"error": {"code": status, "message": phrase(status), "status": name}}, waits(status))


def _throttled(_seconds: float) -> Response:
    """Return the answer of a property without tokens for this hour.

    https://developers.google.com/analytics/devguides/reporting/data/v1/quotas
    """
    return _exhausted("Exhausted property tokens per hour. These quota tokens will return in under an hour.")


def _throttled_day(_seconds: float) -> Response:
    return _exhausted("Exhausted property tokens per day. These quota tokens will return in under 24 hours.")


def _throttled_concurrent(_seconds: float) -> Response:
    return _exhausted("Exhausted concurrent requests quota. Please send fewer requests at the same time.")


def _exhausted(message: str) -> Response:
    return Response(429, {"error": {"code": 429, "message": message, "status": "RESOURCE_EXHAUSTED"}})


def _throttled_admin(_seconds: float) -> Response:
    """Return the Admin API's 403 above its quota: https://developers.google.com/analytics/devguides/config/admin/v1/quotas."""
    message = "Quota exceeded for quota metric 'Requests' and limit 'Requests per minute'."
    found = [{"message": message, "domain": "global", "reason": "rateLimitExceeded"}]
    error = {"code": 403, "message": message, "errors": found, "status": "RESOURCE_EXHAUSTED"}
    return Response(403, {"error": error})


FAULTS = {
    "throttled": _throttled,
    "throttled_day": _throttled_day,
    "throttled_concurrent": _throttled_concurrent,
    "throttled_admin": _throttled_admin,
}
