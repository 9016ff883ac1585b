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
