"""Network International's N-Genius: https://docs.ngenius-payments.com."""

import base64
from collections.abc import Mapping

from local.sandbox.authentication import header
from local.sandbox.exchange import Request, Response
from local.sandbox.problems import phrase, waits
from local.sandbox.routes import Handler, Route, fixed
from local.sandbox.tokens import Tokens

_IDENTITY = "application/vnd.ni-identity.v1+json"

CREDENTIALS = {
    "api_key": base64.b64encode(b"sandbox-ngenius:sandbox-ngenius-secret").decode(),
    "outlet_reference": "0d7d3a2c-5a3e-4b6e-9a55-3f6c1de70001",
}


def routes() -> list[Route]:
    """Return the routes: the token, and the outlet's orders.

    The portal's API key is the value of HTTP Basic as it stands.
    """
    tokens = Tokens("ngenius", 300, refresh_expires_in=1800)
    authentication = header("Authorization", f"Basic {CREDENTIALS['api_key']}")
    orders = f"/transactions/outlets/{CREDENTIALS['outlet_reference']}/orders"
    return [
        Route("POST", "/identity/auth/access-token", authentication, _token(tokens)),
        Route("GET", orders, tokens.authenticate, fixed({"_embedded": {"orders": []}})),
    ]


def _token(tokens: Tokens) -> Handler:
    """Return the token endpoint's handler; it refuses another media type with 415, another realm with 401."""

    def handle(request: Request, path: Mapping[str, str]) -> Response | int:
        if request.headers.get("content-type") != _IDENTITY:
            return 415
        return 401 if request.json.get("realmName", "ni") != "ni" else tokens.issue(request, path)

    return handle


def problem(status: int) -> Response:
    """Return an error in the format of https://docs.ngenius-payments.com."""
    error = {
        "message": phrase(status),
        "localizedMessage": phrase(status),
        "errorCode": "invalidCredentials" if status == 401 else "error",
        "domain": "identity",
    }
    return Response(status, {"message": phrase(status), "code": status, "errors": [error]}, waits(status))
