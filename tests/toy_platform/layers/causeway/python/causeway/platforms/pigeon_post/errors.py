"""Errors of Pigeon Post, which come with status 400, or 200 if the pigeons are tired."""

from collections.abc import Mapping
from typing import Any

from causeway.errors.platforms import InvalidCredentials, RateLimited
from causeway.platforms.kinds.errors import Meaning


def read_error(status: int, content: Mapping[str, Any]) -> Meaning | None:
    """Return what the field `trouble` means."""
    troubles: dict[Any, Meaning] = {"wrong key": InvalidCredentials, "pigeons are tired": RateLimited}
    trouble = content.get("trouble")
    return troubles.get(trouble) if status in (200, 400) and isinstance(trouble, str) else None
