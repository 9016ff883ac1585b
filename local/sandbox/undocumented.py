"""The empty page of a list, for platforms without public documents."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

EMPTY_PAGE: Mapping[str, Any] = MappingProxyType({"data": [], "next_cursor": None})
