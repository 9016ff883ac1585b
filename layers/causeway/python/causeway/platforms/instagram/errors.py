"""Errors of Instagram: those of Meta's Graph API."""

from collections.abc import Mapping
from typing import Any

from causeway.platforms.kinds.errors import Meaning
from causeway.platforms.vendors import meta_graph


def read_error(status: int, content: Mapping[str, Any]) -> Meaning | None:
    """Return the meaning of an error of the Graph API."""
    return meta_graph.read_error(status, content)
