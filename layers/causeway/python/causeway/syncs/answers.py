"""Answers about syncs."""

from pydantic import Field

from causeway.syncs.runs import Status
from causeway.wire import example_ids
from causeway.wire.field_types import Id, Time
from causeway.wire.models import Answer


class SyncRun(Answer):
    """A sync of a connection: its state, or its result."""

    run_id: Id
    status: Status
    reason: str | None = Field(description="A code.", examples=[None])
    message: str | None = Field(description="The reason as a sentence.", examples=[None])
    requested_by: str = Field(description="A person's subject or a key's id.", examples=[example_ids.SUBJECT])
    requested_at: Time
    started_at: Time | None = Field(examples=[None])
    ended_at: Time | None = Field(examples=[None])
