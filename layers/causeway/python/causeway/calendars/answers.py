"""Answers about calendars."""

from typing import Annotated

from pydantic import Field

from causeway.platforms.kinds.calendars import CALENDAR_ID
from causeway.wire import example_ids
from causeway.wire.field_types import Text, Time
from causeway.wire.models import Answer

_CalendarId = Annotated[
    str, Field(pattern=f"^{CALENDAR_ID.pattern}$", description="The platform's.", examples=[example_ids.CALENDAR_ID])
]


class Calendar(Answer):
    """A calendar as the platform names it."""

    calendar_id: _CalendarId = Field(alias="id")
    name: str | None = Field(description="Null where the platform does not say.", examples=["Demo calendar"])
    is_active: bool | None = Field(description="Null where the platform does not say.", examples=[True])


class CalendarList(Answer):
    """The calendars of a connection's location."""

    calendars: list[Calendar]


class FreeSlots(Answer):
    """The times of a day at which a calendar is free, in the time zone that was asked for."""

    slots: list[Annotated[str, Field(pattern="^[0-9]{2}:[0-9]{2}$")]] = Field(examples=[["09:00", "09:30"]])


class BlockedSlot(Answer):
    """A blocked time in UTC, and the platform's id of it."""

    block_id: Annotated[str, Text(255)] = Field(alias="id", examples=["sandboxBlockedSlot1"])
    calendar_id: _CalendarId
    start_time: Time = Field(examples=["2026-01-31T10:00:00Z"])
    end_time: Time = Field(examples=["2026-01-31T11:00:00Z"])
    title: Annotated[str, Text(200, least=0)] = Field(examples=["Lunch"])
