"""The limits of requests that a template's document names."""

from typing import Annotated

from pydantic import Field

from causeway.wire.field_types import Omittable
from causeway.wire.models import Request

_Requests = Omittable[Annotated[int, Field(ge=1, le=2_000_000_000, examples=[600])]]


class RateLimits(Request):
    """The most requests in each window. Absent: not known."""

    minute: _Requests = None
    hour: _Requests = None
    day: _Requests = None
    month: _Requests = None
