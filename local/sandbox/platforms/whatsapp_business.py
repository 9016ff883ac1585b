"""WhatsApp Cloud API: https://developers.facebook.com/docs/whatsapp/cloud-api."""

from local.sandbox import meta_graph
from local.sandbox.exchange import Response
from local.sandbox.routes import Route

CREDENTIALS = {**meta_graph.APP, "phone_number_id": "106540352242922", "waba_id": "102290129340398"}
problem = meta_graph.problem
exhausted = meta_graph.exhausted


def routes() -> list[Route]:
    """Return the route of the phone number."""
    number = {
        "id": CREDENTIALS["phone_number_id"],
        "verified_name": "Causeway sandbox",
        "quality_rating": "GREEN",
        "display_phone_number": "+1 555 025 3483",
    }
    return meta_graph.node(CREDENTIALS["phone_number_id"], number)


def _throttled(_seconds: float) -> Response:
    """Return the answer above the number's messages a second.

    https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes
    """
    return meta_graph.throttled(130429, "(#130429) Rate limit hit")


def _throttled_pair(_seconds: float) -> Response:
    """Return the answer to too many messages to one person."""
    return meta_graph.throttled(131056, "(#131056) Pair rate limit hit")


def _throttled_business(seconds: float) -> Response:
    """Return the answer of the account's limit, which tells the minutes to wait."""
    usage = meta_graph.business_usage(CREDENTIALS["waba_id"], "whatsapp", 100, seconds)
    return meta_graph.throttled(80007, "(#80007) Rate limit issues", X_Business_Use_Case_Usage=usage)


FAULTS = {
    "throttled": _throttled,
    "throttled_pair": _throttled_pair,
    "throttled_business": _throttled_business,
}
