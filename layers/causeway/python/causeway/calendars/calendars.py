"""Calendars of a connection's platform: listed, their free slots, and times blocked in them."""

import re
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from causeway.connections.use import open_platform
from causeway.errors.requests import InvalidRequest
from causeway.platforms.kinds.calendars import CALENDAR_ID, Block, Calendars, Day
from causeway.tenancy.context import RequestContext
from causeway.wire.fields import known_fields, text_field
from causeway.wire.preconditions import Expected

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def parse_day(query: dict[str, str]) -> Day:
    """Read the query of GET .../free-slots; raises InvalidRequest, which names the parameter."""
    known_fields(query, {"date", "timezone"})
    text = query.get("date", "")
    try:
        # fromisoformat takes other forms of ISO 8601 as well, such as weeks: allow only this one.
        day = date.fromisoformat(text if _DAY.fullmatch(text) else "")
        # Platforms are asked for the days around it too: both must exist in Python's calendar.
        datetime.combine(day, time()) - timedelta(days=1)
        datetime.combine(day, time()) + timedelta(days=2)
    except (ValueError, OverflowError) as error:
        raise InvalidRequest("date must be a day such as 2026-01-31") from error
    return Day(day, text_field(query, "timezone", 64, "UTC") or "UTC")


def parse_block(body: dict[str, Any]) -> Block:
    """Read the body of POST .../block-slots; raises InvalidRequest, which names the field."""
    known_fields(body, {"startTime", "endTime", "title"})
    start, end = _moment(body, "startTime"), _moment(body, "endTime")
    if start >= end:
        raise InvalidRequest("endTime must be after startTime")
    return Block(start, end, text_field(body, "title", 200, ""))


def _moment(body: dict[str, Any], name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text_field(body, name, 40))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise InvalidRequest(f"{name} must be a time with its zone, such as 2026-01-31T14:00:00+01:00")
    return moment


def list_calendars(context: RequestContext, connection_id: UUID) -> list[dict[str, Any]]:
    """Return a connection's calendars: id, name, and whether each is active.

    Raises:
        NotSupported: the connection's platform has no calendars.
        ConnectionNotFound, IntegrationNotActive, TemplateMoved, CredentialMissing, CredentialUnreadable,
        KeyServiceUnavailable: as open_platform.
        UnexpectedAnswer, and what OpenAccount.call raises: as the platform answered.
    """
    with open_platform(context, connection_id, Calendars) as (platform, account):
        calendars = platform.list_calendars(account)
    return [{"id": one.calendar_id, "name": one.name, "isActive": one.is_active} for one in calendars]


def free_slots(context: RequestContext, connection_id: UUID, calendar_id: str, day: Day) -> list[str]:
    """Return the times of a day at which a calendar is free, as HH:MM in the day's time zone.

    Raises:
        InvalidRequest: the calendar's id is malformed.
        As list_calendars.
    """
    _check_id(calendar_id)
    with open_platform(context, connection_id, Calendars) as (platform, account):
        return platform.free_slots(account, calendar_id, day)


def block_slot(
    context: RequestContext, connection_id: UUID, calendar_id: str, block: Block, expected: Expected
) -> dict[str, Any]:
    """Block a time of a calendar, so that nobody books it, and return the blocked time with the platform's id of it.

    Args:
        context: who blocks it.
        connection_id: the connection.
        calendar_id: the calendar.
        block: the time.
        expected: the versions of the connection that the caller saw.

    Raises:
        InvalidRequest: the calendar's id is malformed.
        VersionMismatch: the connection is another version.
        ProviderOutcomeUnknown: the time may be blocked or not.
        As list_calendars.
    """
    _check_id(calendar_id)
    with open_platform(context, connection_id, Calendars, expected=expected) as (platform, account):
        block_id = platform.block_slot(account, calendar_id, block)
    return {
        "id": block_id,
        "calendarId": calendar_id,
        "startTime": block.start.isoformat(),
        "endTime": block.end.isoformat(),
        "title": block.title,
    }


def _check_id(calendar_id: str) -> None:
    if not CALENDAR_ID.fullmatch(calendar_id):
        raise InvalidRequest("The calendar's id must be letters, digits, _ and -")
