"""Errors of Telr, which come with status 200."""

from collections.abc import Mapping
from typing import Any

from causeway.errors.platforms import InvalidCredentials, ProviderRejected
from causeway.platforms.kinds.errors import ACCEPTED, Meaning


def read_error(status: int, content: Mapping[str, Any]) -> Meaning | None:
    """Return what an error means. The test call asks for an unknown order: "not found" shows that the key is valid."""
    error = content.get("error")
    if status != 200 or not isinstance(error, dict):
        return None
    text = f"{error.get('message', '')} {error.get('note', '')}".lower()
    if "order" in text and "not found" in text:
        return ACCEPTED
    return InvalidCredentials if any(word in text for word in ("auth", "store", "key")) else ProviderRejected
