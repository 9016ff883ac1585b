"""calendars.py of a platform: its calendars, their free slots, and times blocked in them."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from causeway.platforms.open_account import OpenAccount

CALENDAR_ID = re.compile(r"[0-9A-Za-z_-]{1,128}")


@dataclass(frozen=True, slots=True)
class Calendar:
    """A calendar at a platform.

    Attributes:
        name, is_active: None if the platform does not say.
    """

    calendar_id: str
    name: str | None
    is_active: bool | None


@dataclass(frozen=True, slots=True)
class Day:
    """A day in a time zone, which has a name of the IANA's database."""

    day: date
    timezone: str


@dataclass(frozen=True, slots=True)
class Block:
    """A time in which a calendar cannot be booked, and the reason. start and end have a time zone."""

    start: datetime
    end: datetime
    title: str


class Calendars(Protocol):
    """The module calendars.py of a platform that has calendars.

    A calendar's id matches CALENDAR_ID. Each function raises UnexpectedAnswer for an answer that it
    cannot read, and what OpenAccount.call raises.
    """

    def list_calendars(self, account: "OpenAccount") -> list[Calendar]:
        """Return the account's calendars."""

    def free_slots(self, account: "OpenAccount", calendar_id: str, day: Day) -> list[str]:
        """Return the times of a day at which a calendar is free, sorted: HH:MM in the day's time zone."""

    def block_slot(self, account: "OpenAccount", calendar_id: str, block: Block) -> str:
        """Block a time of a calendar and return the id of the block; nothing else is changed.

        Raises:
            ProviderOutcomeUnknown: the time may be blocked or not.
        """
