"""Instagram: https://developers.facebook.com/docs/instagram-platform."""

from local.sandbox import meta_graph
from local.sandbox.exchange import Response
from local.sandbox.routes import Route

CREDENTIALS = {**meta_graph.APP, "ig_user_id": "17841405822304914"}
problem = meta_graph.problem
exhausted = meta_graph.exhausted


def routes() -> list[Route]:
    """Return the route of the professional account."""
    identity = CREDENTIALS["ig_user_id"]
    return meta_graph.node(identity, {"id": identity, "username": "causeway"})


def _throttled_business(seconds: float) -> Response:
    """Return the answer of the account's limit, which tells the minutes to wait."""
    usage = meta_graph.business_usage(CREDENTIALS["ig_user_id"], "instagram", 100, seconds)
    message = "(#80002) There have been too many calls to this account. Wait a bit and try again."
    return meta_graph.throttled(80002, message, X_Business_Use_Case_Usage=usage)


FAULTS = {"throttled": meta_graph.app_throttled, "throttled_business": _throttled_business}
