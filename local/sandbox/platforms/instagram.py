"""Instagram: https://developers.facebook.com/docs/instagram-platform."""

from local.sandbox import meta_graph
from local.sandbox.routes import Route

CREDENTIALS = {**meta_graph.APP, "ig_user_id": "17841405822304914"}
problem = meta_graph.problem


def routes() -> list[Route]:
    """Return the route of the professional account."""
    identity = CREDENTIALS["ig_user_id"]
    return meta_graph.node(identity, {"id": identity, "username": "causeway"})
