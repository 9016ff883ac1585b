"""Facebook pages: https://developers.facebook.com/docs/pages-api."""

from local.sandbox import meta_graph
from local.sandbox.routes import Route

CREDENTIALS = {**meta_graph.APP, "page_id": "1067280970047460"}
problem = meta_graph.problem


def routes() -> list[Route]:
    """Return the route of the page that the token belongs to."""
    return meta_graph.node("me", {"id": CREDENTIALS["page_id"], "name": "Causeway sandbox"})
