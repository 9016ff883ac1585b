"""Meta's Marketing API: https://developers.facebook.com/docs/marketing-api."""

from local.sandbox import meta_graph
from local.sandbox.routes import Route

CREDENTIALS = {**meta_graph.APP, "ad_account_id": "1234567890"}
problem = meta_graph.problem


def routes() -> list[Route]:
    """Return the route of the ad account."""
    identity = f"act_{CREDENTIALS['ad_account_id']}"
    account = {"name": "Causeway sandbox", "account_status": 1, "currency": "AED", "timezone_name": "Asia/Dubai"}
    return meta_graph.node(identity, {"id": identity, **account})
