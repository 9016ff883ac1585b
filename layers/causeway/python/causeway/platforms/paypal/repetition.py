"""PayPal's idempotency keys: https://developer.paypal.com/api/rest/reference/idempotency/."""


def idempotency_header() -> str:
    """Return the name of the header in which PayPal takes a key."""
    return "PayPal-Request-Id"
