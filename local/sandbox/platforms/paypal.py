"""PayPal: https://developer.paypal.com/api/rest."""

from local.sandbox.authentication import basic
from local.sandbox.exchange import Response
from local.sandbox.problems import phrase, waits
from local.sandbox.routes import Route, fixed
from local.sandbox.tokens import Tokens

CREDENTIALS = {"client_id": "sandbox-paypal-client", "client_secret": "sandbox-paypal-secret"}


def routes() -> list[Route]:
    """Return the routes: the token (https://developer.paypal.com/api/rest/authentication), and the webhooks."""
    tokens = Tokens("paypal", 32400, app_id="APP-80W284485P519543T", nonce="sandbox", scope="openid")
    client = basic(CREDENTIALS["client_id"], CREDENTIALS["client_secret"])
    return [
        Route("POST", "/v1/oauth2/token", client, tokens.issue),
        Route("GET", "/v1/notifications/webhooks", tokens.authenticate, fixed({"webhooks": []})),
    ]


def problem(status: int) -> Response:
    """Return an error: https://developer.paypal.com/api/rest/responses; the 401 as in RFC 6749, 5.2."""
    if status == 401:
        return Response(401, {"error": "invalid_client", "error_description": "Client Authentication failed"})
    name = {403: "NOT_AUTHORIZED", 404: "RESOURCE_NOT_FOUND", 429: "RATE_LIMIT_REACHED"}.get(
        status, "INTERNAL_SERVER_ERROR"
    )
    content = {"name": name, "message": phrase(status), "debug_id": "sandbox", "details": [], "links": []}
    return Response(status, content, {"PayPal-Debug-Id": "sandbox", **waits(status)})
