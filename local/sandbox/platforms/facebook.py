"""Facebook pages: https://developers.facebook.com/docs/pages-api."""

from local.sandbox import graph
from local.sandbox.routes import Route

CREDENTIALS = {**graph.APP, "page_id": "1067280970047460"}
problem = graph.problem


def routes() -> list[Route]:
    """Return the route of the page that the token belongs to."""
    return graph.node("me", {"id": CREDENTIALS["page_id"], "name": "Causeway sandbox"})
