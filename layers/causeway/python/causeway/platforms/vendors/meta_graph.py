"""Errors of Meta's Graph API, which Facebook, Instagram, WhatsApp Business and Facebook Ads share."""

from collections.abc import Mapping
from typing import Any

from causeway.errors.platforms import InvalidCredentials, ProviderError, ProviderForbidden, RateLimited
from causeway.platforms.kinds.errors import Error


def read_error(_: int, content: Mapping[str, Any]) -> Error | None:
    """Return the meaning of an error's code; the status is often 400 for all kinds of errors.

    https://developers.facebook.com/docs/graph-api/guides/error-handling
    """
    error = content.get("error")
    code = error.get("code") if isinstance(error, dict) else None
    if not isinstance(code, int):
        return None
    if code in (102, 190):
        return InvalidCredentials
    if code in (4, 17, 32, 613, 80007, 130429) or 80000 <= code <= 80014:
        return RateLimited
    if code == 10 or 200 <= code <= 299:
        return ProviderForbidden
    if code in (1, 2):
        return ProviderError
    return None
