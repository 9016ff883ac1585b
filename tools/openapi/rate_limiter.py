"""Models of the rate limiter's request and answer, for the API's document only.

Its function reads and writes its few fields by hand, because it loads no pydantic. A test holds the model of the
request against the reader (tests/unit/test_rate_limiter_requests.py).
"""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from causeway.rate_limits.limits import MOST
from causeway.rate_limits.requests import KEY
from causeway.wire.field_types import Omittable, Text, Time, rule_broken
from tools.openapi import demo


class _Model(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", hide_input_in_errors=True)


class LimiterRequest(_Model):
    """The limits of a connection or of a key; exactly one of both is sent."""

    connection_id: Annotated[
        str | None,
        Field(
            description="Its id, or ext: and its externalId; as in paths, also in base64url after b64:.",
            examples=[demo.CONNECTION_ID],
        ),
    ] = None
    key: Annotated[
        Annotated[str, Text(pattern=KEY.pattern)] | None,
        Field(description="A name that you choose; it has 100 requests a minute.", examples=[None]),
    ] = None
    action: Annotated[
        Literal["check", "take", "usage"],
        Field(
            description="take counts; check tells what take would decide; usage tells what is used.", examples=["take"]
        ),
    ]
    cost: Annotated[
        Omittable[Annotated[int, Field(ge=1, le=MOST)]],
        Field(description="How many requests it counts for.", examples=[1]),
    ] = 1

    @model_validator(mode="after")
    def _has_one_subject(self) -> Self:
        if (self.connection_id is None) == (self.key is None):
            raise rule_broken("must have connection_id or key, and not both")
        return self


class LimiterWindow(_Model):
    """A window; "platform" is what the platform told of its own window."""

    window: Annotated[Literal["minute", "hour", "day", "month", "platform"], Field(examples=["minute"])]
    limit: Annotated[int | None, Field(description="Null: the platform did not tell it.", examples=[100])]
    used: Annotated[int | None, Field(description="Null: the platform did not tell it.", examples=[1])]
    remaining: Annotated[int, Field(ge=0, examples=[99])]
    reset_at: Time


class LimiterDecision(_Model):
    """A decision; limit, remaining and reset_at are of the window that has the least room."""

    allowed: Annotated[bool, Field(examples=[True])]
    limit: Annotated[int | None, Field(examples=[100])]
    remaining: Annotated[int | None, Field(examples=[99])]
    reset_at: Time | None
    retry_after: Annotated[
        int | None,
        Field(description="Seconds after which the request is granted; null: it is allowed.", examples=[None]),
    ]
    windows: list[LimiterWindow]
