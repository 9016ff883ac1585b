"""Answers of the proxy that are the hub's own."""

from pydantic import Field

from causeway.wire.models import Answer


class ProxiedReplay(Answer):
    """The answer to a call that is sent again with its Idempotency-Key: the platform's body is not stored."""

    replayed: bool = Field(examples=[True])
    status: int = Field(description="The status that the platform answered.", examples=[201])
    log_id: str | None = Field(
        description="The row of the API log, which has the beginning of the platform's answer.",
        examples=["4711"],
    )
