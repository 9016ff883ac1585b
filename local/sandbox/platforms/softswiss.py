"""SOFTSWISS's data API, which is not public. These are the routes that the catalogue's defaults call."""

from local.sandbox import problems
from local.sandbox.authentication import all_of, header, signed
from local.sandbox.routes import Route, fixed
from local.sandbox.undocumented import EMPTY_PAGE

CREDENTIALS = {
    "api_key": "sandbox-softswiss-key",
    "api_secret": "sandbox-softswiss-secret",
    "casino_id": "demo-casino",
    "environment": "sandbox",
}
problem = problems.plain


def routes() -> list[Route]:
    """Return the route of the players; it requires the key, and the body signed with the secret."""
    key = header("X-API-KEY", CREDENTIALS["api_key"])
    signature = signed("X-REQUEST-SIGN", CREDENTIALS["api_secret"])
    return [Route("GET", "/players", all_of(key, signature), fixed(EMPTY_PAGE))]
