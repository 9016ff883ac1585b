"""The answer to a call."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a call.

    Attributes:
        headers: a mapping that ignores the case of names.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the body's JSON value; None without one."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None
