"""Errors of Pigeon Post, which all come with status 400."""

from collections.abc import Mapping
from typing import Any

from causeway.errors.platforms import InvalidCredentials, RateLimited
from causeway.platforms.kinds.errors import Meaning


def read_error(status: int, content: Mapping[str, Any]) -> Meaning | None:
    """Return what the field `trouble` means."""
    troubles: dict[Any, Meaning] = {"wrong key": InvalidCredentials, "pigeons are tired": RateLimited}
    return troubles.get(content.get("trouble")) if status == 400 else None
