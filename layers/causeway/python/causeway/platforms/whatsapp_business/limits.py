"""Rate limits of WhatsApp Business: those of Meta's Graph API."""

from collections.abc import Mapping
from typing import Any

from causeway.platforms.kinds.limits import Signal
from causeway.platforms.vendors import meta_usage


def read_limits(status: int, headers: Mapping[str, str], content: Any) -> Signal:
    """Return what an answer of the Graph API tells of its limits."""
    return meta_usage.read_limits(status, headers, content)
