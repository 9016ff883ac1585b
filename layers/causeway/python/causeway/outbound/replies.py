"""The answer to a call."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a call.

    Attributes:
        headers: a mapping that ignores the case of names.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
