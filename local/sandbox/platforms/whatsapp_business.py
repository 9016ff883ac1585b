"""WhatsApp Cloud API: https://developers.facebook.com/docs/whatsapp/cloud-api."""

from local.sandbox import meta_graph
from local.sandbox.routes import Route

CREDENTIALS = {**meta_graph.APP, "phone_number_id": "106540352242922", "waba_id": "102290129340398"}
problem = meta_graph.problem


def routes() -> list[Route]:
    """Return the route of the phone number."""
    number = {
        "id": CREDENTIALS["phone_number_id"],
        "verified_name": "Causeway sandbox",
        "quality_rating": "GREEN",
        "display_phone_number": "+1 555 025 3483",
    }
    return meta_graph.node(CREDENTIALS["phone_number_id"], number)
