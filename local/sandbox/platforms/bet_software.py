"""BET Software: its API is not public. These are the routes that the catalogue's defaults call."""

from local.sandbox import problems
from local.sandbox.authentication import all_of, header, signed
from local.sandbox.routes import Route, fixed
from local.sandbox.undocumented import EMPTY_PAGE

CREDENTIALS = {
    "partner_id": "sandbox-partner",
    "api_key": "sandbox-bet-software-key",
    "hash_key": "sandbox-bet-software-hash-key",
    "site_id": "sandbox-site",
}
problem = problems.plain


def routes() -> list[Route]:
    """Return the route of the players; it requires the key, both ids, and the body signed with the hash key."""
    partner = all_of(
        header("X-API-Key", CREDENTIALS["api_key"]),
        header("X-Partner-Id", CREDENTIALS["partner_id"]),
        header("X-Site-Id", CREDENTIALS["site_id"]),
        signed("X-Hash", CREDENTIALS["hash_key"]),
    )
    return [Route("GET", "/players", partner, fixed(EMPTY_PAGE))]
