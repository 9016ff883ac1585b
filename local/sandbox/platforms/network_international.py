"""Network International's N-Genius: https://docs.ngenius-payments.com."""

import base64

from local.sandbox.authentication import header
from local.sandbox.exchange import Response
from local.sandbox.problems import phrase, waits
from local.sandbox.routes import Route
from local.sandbox.tokens import Tokens

CREDENTIALS = {
    "api_key": base64.b64encode(b"sandbox-ngenius:sandbox-ngenius-secret").decode(),
    "outlet_reference": "0d7d3a2c-5a3e-4b6e-9a55-3f6c1de70001",
}


def routes() -> list[Route]:
    """Return the route of the token; the portal's API key is the value of HTTP Basic as it stands."""
    tokens = Tokens("ngenius", 300, refresh_expires_in=1800)
    authentication = header("Authorization", f"Basic {CREDENTIALS['api_key']}")
    return [Route("POST", "/identity/auth/access-token", authentication, tokens.issue)]


def problem(status: int) -> Response:
    """Return an error in the format of https://docs.ngenius-payments.com."""
    error = {
        "message": phrase(status),
        "localizedMessage": phrase(status),
        "errorCode": "invalidCredentials" if status == 401 else "error",
        "domain": "identity",
    }
    return Response(status, {"message": phrase(status), "code": status, "errors": [error]}, waits(status))
