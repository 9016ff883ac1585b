"""Errors of Aramex, which come with a status of success."""

from collections.abc import Mapping
from typing import Any

from causeway.errors.platforms import InvalidCredentials, ProviderError, ProviderRejected
from causeway.platforms.kinds.errors import Meaning


def read_error(status: int, content: Mapping[str, Any]) -> Meaning | None:
    """Return the meaning of the notifications: ERR01 refuses the account. An unknown shipment is not an error.

    An error without a notification of its own is about a part of the request; the other parts may be done.
    """
    flag = content.get("HasErrors")
    has_errors = flag is True or (isinstance(flag, str) and flag.lower() == "true")
    if not 200 <= status < 300 or not has_errors:
        return None
    notifications = content.get("Notifications")
    found = notifications if isinstance(notifications, list) else []
    codes = [notification.get("Code") for notification in found if isinstance(notification, dict)]
    if not codes:
        return ProviderError
    return InvalidCredentials if "ERR01" in codes else ProviderRejected
