"""Errors of Aramex, which come with status 200."""

from collections.abc import Mapping
from typing import Any

from causeway.errors.platforms import InvalidCredentials, ProviderRejected
from causeway.platforms.kinds.errors import Meaning


def read_error(status: int, content: Mapping[str, Any]) -> Meaning | None:
    """Return the meaning of the notifications: ERR01 refuses the account. An unknown shipment is not an error."""
    if status != 200 or content.get("HasErrors") is not True:
        return None
    notifications = content.get("Notifications")
    codes = [found.get("Code") for found in notifications or () if isinstance(found, dict)]
    return InvalidCredentials if "ERR01" in codes else ProviderRejected
