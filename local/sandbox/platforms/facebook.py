"""Facebook pages: https://developers.facebook.com/docs/pages-api."""

from local.sandbox import meta_graph
from local.sandbox.exchange import Response
from local.sandbox.routes import Route

CREDENTIALS = {**meta_graph.APP, "page_id": "1067280970047460"}
OAUTH_APP = meta_graph.OAUTH_APP
problem = meta_graph.problem
exhausted = meta_graph.exhausted


def routes() -> list[Route]:
    """Return the routes of the login, and of the page that the token belongs to."""
    login, page = meta_graph.Login("facebook"), CREDENTIALS["page_id"]
    me = meta_graph.node("me", {"id": page, "name": "Causeway sandbox"}, login.authenticate)
    return [*login.routes([page]), *me]


def _throttled_business(seconds: float) -> Response:
    """Return the answer of the page's limit, which tells the minutes to wait."""
    usage = meta_graph.business_usage(CREDENTIALS["page_id"], "pages", 100, seconds)
    message = "(#80001) There have been too many calls to this Page. Wait a bit and try again."
    return meta_graph.throttled(80001, message, X_Business_Use_Case_Usage=usage)


FAULTS = {"throttled": meta_graph.app_throttled, "throttled_business": _throttled_business}
