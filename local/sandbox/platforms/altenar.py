"""Altenar: its API is not public. These are the routes that the catalogue's defaults call."""

from local.sandbox import problems
from local.sandbox.authentication import all_of, basic, query
from local.sandbox.routes import Route, fixed
from local.sandbox.undocumented import EMPTY_PAGE

CREDENTIALS = {
    "api_username": "sandbox-altenar",
    "api_password": "sandbox-altenar-password",
    "operator_id": "1234",
    "brand_id": "5678",
}
problem = problems.plain


def routes() -> list[Route]:
    """Return the route of the bets; it requires the user, and the operator's and the brand's ids."""
    user = basic(CREDENTIALS["api_username"], CREDENTIALS["api_password"])
    operator = query("operator_id", CREDENTIALS["operator_id"])
    brand = query("brand_id", CREDENTIALS["brand_id"])
    return [Route("GET", "/bets", all_of(user, operator, brand), fixed(EMPTY_PAGE))]
