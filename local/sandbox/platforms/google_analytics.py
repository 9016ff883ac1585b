"""Google Analytics' Admin and Data APIs: https://developers.google.com/analytics/devguides/reporting/data/v1."""

from collections.abc import Mapping

from local.sandbox.authentication import form
from local.sandbox.exchange import Request, Response
from local.sandbox.problems import phrase, waits
from local.sandbox.routes import Handler, Route, fixed
from local.sandbox.tokens import Tokens

CREDENTIALS = {
    "property_id": "213025502",
    "client_id": "sandbox.apps.googleusercontent.com",
    "client_secret": "sandbox-google-secret",
    "refresh_token": "1//sandbox-google-refresh-token",
}


def routes() -> list[Route]:
    """Return the routes: the token, the property's metadata, and the account summaries."""
    tokens = Tokens("google", 3599, scope="https://www.googleapis.com/auth/analytics.readonly")
    client = form(client_id=CREDENTIALS["client_id"], client_secret=CREDENTIALS["client_secret"])
    return [
        Route("POST", "/token", client, _refresh(tokens)),
        Route("GET", r"/v1beta/(?P<name>properties/\d+)/metadata", tokens.authenticate, _metadata),
        Route("GET", "/v1beta/accountSummaries", tokens.authenticate, fixed({"accountSummaries": []})),
    ]


def _refresh(tokens: Tokens) -> Handler:
    """Return the token endpoint's handler; it refuses an unknown refresh token with 400.

    https://developers.google.com/identity/protocols/oauth2/web-server#offline
    """

    def handle(request: Request, path: Mapping[str, str]) -> Response:
        if request.form.get("refresh_token") != CREDENTIALS["refresh_token"]:
            description = "Token has been expired or revoked."
            return Response(400, {"error": "invalid_grant", "error_description": description})
        return tokens.issue(request, path)

    return handle


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
