"""Rate limits of Stripe, which says itself whether to send a request again."""

from collections.abc import Mapping
from typing import Any

from causeway.platforms.kinds.limits import Signal

_MEANINGS = {"true": True, "false": False}


def read_limits(status: int, headers: Mapping[str, str], content: Any) -> Signal:
    """Return what Stripe-Should-Retry says.

    No wait is told: a 429 lock_timeout is about one object, so it must not hold up the account's other calls.
    https://docs.stripe.com/rate-limits, https://docs.stripe.com/error-low-level
    """
    return Signal(retry=_MEANINGS.get(headers.get("Stripe-Should-Retry", "")))
