"""Rate limits of Mailchimp that its status does not show."""

from collections.abc import Mapping
from typing import Any

from causeway.platforms.kinds.limits import Signal


def read_limits(status: int, headers: Mapping[str, str], content: Any) -> Signal:
    """Return the throttling of a 403 without JSON: a missing right is explained by a JSON document.

    https://mailchimp.com/developer/marketing/docs/fundamentals
    """
    return Signal(throttled=status == 403 and content is None)
