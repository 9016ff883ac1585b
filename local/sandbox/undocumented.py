"""What the platforms without public documents share: an empty page as the answer to a list."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

EMPTY_PAGE: Mapping[str, Any] = MappingProxyType({"data": [], "next_cursor": None})
