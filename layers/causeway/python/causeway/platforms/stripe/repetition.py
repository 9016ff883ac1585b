"""Stripe's idempotency keys: https://docs.stripe.com/api/idempotent_requests."""


def idempotency_header() -> str:
    """Return the name of the header in which Stripe takes a key."""
    return "Idempotency-Key"
