"""Instagram: https://developers.facebook.com/docs/instagram-platform."""

from local.sandbox import graph
from local.sandbox.routes import Route

CREDENTIALS = {**graph.APP, "ig_user_id": "17841405822304914"}
problem = graph.problem


def routes() -> list[Route]:
    """Return the route of the professional account."""
    identity = CREDENTIALS["ig_user_id"]
    return graph.node(identity, {"id": identity, "username": "causeway"})
