"""Requests about calendars."""

import re
from datetime import date, datetime, timedelta
from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from causeway.platforms.kinds.calendars import Block, Day
from causeway.wire.field_types import Text, Time, parsed, rule_broken
from causeway.wire.models import Query, Request

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _day(text: str) -> date:
    # fromisoformat takes other forms of ISO 8601 as well, such as weeks: allow only this one.
    if not _DAY.fullmatch(text):
        raise ValueError("another form")
    day = date.fromisoformat(text)
    # Platforms are asked for the days around it too: both must exist in Python's calendar.
    if not date.min + timedelta(days=1) <= day <= date.max - timedelta(days=2):
        raise ValueError("no days around it")
    return day


class FreeSlotsQuery(Query):
    """The day whose free slots are asked for."""

    day: Annotated[date, parsed(date, _day, "must be a day such as 2026-01-31")] = Field(
        alias="date", examples=["2026-01-31"]
    )
    timezone: Annotated[str, Text(64)] = Field(
        "UTC", description="A name of the IANA's time zone database.", examples=["Asia/Dubai"]
    )

    @property
    def wanted(self) -> Day:
        """The day as platforms take it."""
        return Day(self.day, self.timezone)


class BlockedSlotDraft(Request):
    """A time in which a calendar cannot be booked."""

    start_time: Time = Field(examples=["2026-01-31T14:00:00+04:00"])
    end_time: Time = Field(examples=["2026-01-31T15:00:00+04:00"])
    title: Annotated[str, Text(200, least=0)] = Field("", examples=["Lunch"])

    @field_validator("end_time")
    @classmethod
    def _after_the_start(cls, end: datetime, info: ValidationInfo) -> datetime:
        start = info.data.get("start_time")
        if start is not None and end <= start:
            raise rule_broken("must be after startTime")
        return end

    @property
    def block(self) -> Block:
        """The time as platforms take it."""
        return Block(self.start_time, self.end_time, self.title)
