"""Errors of Telr, which come with status 200."""

from collections.abc import Mapping
from typing import Any

from causeway.errors.platforms import InvalidCredentials, ProviderRejected
from causeway.platforms.kinds.errors import ACCEPTED, Meaning

# What an error about the credentials names, in lower case: E04 is "Invalid store ID". The errors of a payment contain
# words such as "3DSecure authentication rejected" (https://docs.telr.com/reference/authorisation-response-codes).
_CREDENTIALS = ("store id", "authentication key", "auth key", "authkey")


def read_error(status: int, content: Mapping[str, Any]) -> Meaning | None:
    """Return the meaning of an error. The test call asks for an unknown order: "not found" means a valid key."""
    error = content.get("error")
    if status != 200 or not isinstance(error, dict):
        return None
    text = f"{error.get('message', '')} {error.get('note', '')}".lower()
    if "order" in text and "not found" in text:
        return ACCEPTED
    return InvalidCredentials if any(name in text for name in _CREDENTIALS) else ProviderRejected
