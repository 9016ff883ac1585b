"""Errors of Meta's Graph API, which Facebook, Instagram, WhatsApp Business and Facebook Ads share."""

from collections.abc import Mapping
from typing import Any

from causeway.errors.platforms import (
    InvalidCredentials,
    ProviderError,
    ProviderForbidden,
    ProviderRejected,
    RateLimited,
)
from causeway.platforms.kinds.errors import Error


def read_error(status: int, content: Mapping[str, Any]) -> Error | None:
    """Return the meaning of an error's code; the status is often 400 for all kinds of errors.

    https://developers.facebook.com/docs/graph-api/guides/error-handling
    """
    error = content.get("error")
    if not isinstance(error, dict) or "code" not in error:
        return None
    code = error["code"]
    known = _meaning(code) if isinstance(code, int) and not isinstance(code, bool) else None
    # An error with any other code refuses the call, also where the status says success.
    return ProviderRejected if known is None and 200 <= status < 300 else known


def _meaning(code: int) -> Error | None:
    if code in (102, 190):
        return InvalidCredentials
    if code in (4, 17, 32, 341, 613, 130429, 131056) or 80000 <= code <= 80014:
        return RateLimited
    if code == 10 or 200 <= code <= 299:
        return ProviderForbidden
    if code in (1, 2):
        return ProviderError
    return None
