"""Playtech PAM: its API is not public. These are the routes that the catalogue's defaults call."""

from local.sandbox import problems
from local.sandbox.authentication import all_of, basic, form, header
from local.sandbox.routes import Route, fixed
from local.sandbox.tokens import Tokens
from local.sandbox.undocumented import EMPTY_PAGE

CREDENTIALS = {
    "client_id": "sandbox-playtech",
    "client_secret": "sandbox-playtech-secret",
    "license_key": "sandbox-playtech-licence",
    "region": "eu",
}
problem = problems.plain


def routes() -> list[Route]:
    """Return the routes: the token, and the players, which require the licence key and the region beside it.

    A second token endpoint takes the client's credentials in the form, and asks for an audience and a scope.
    """
    tokens = Tokens("playtech", 3600)
    licence = header("X-License-Key", CREDENTIALS["license_key"])
    region = header("X-Region", CREDENTIALS["region"])
    client = basic(CREDENTIALS["client_id"], CREDENTIALS["client_secret"])
    secret = CREDENTIALS["client_secret"]
    other = form(client_id=CREDENTIALS["client_id"], client_secret=secret, audience="pam", scope="players.read")
    return [
        Route("POST", "/oauth/token", client, tokens.issue),
        Route("POST", "/identity/token", other, tokens.issue),
        Route("GET", "/players", all_of(tokens.authenticate, licence, region), fixed(EMPTY_PAGE)),
    ]
