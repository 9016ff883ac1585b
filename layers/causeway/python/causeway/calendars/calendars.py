"""GoHighLevel's calendars: what there is, which slots are free, and keeping some from being booked.

Source: HighLevel's API description, apps/calendars.json, version 2021-04-15 of the Calendars API.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Self
from urllib.parse import quote
from uuid import UUID

from causeway.connections.use import opened
from causeway.errors.platforms import ProviderOutcomeUnknown, UnexpectedAnswer
from causeway.errors.requests import InvalidRequest
from causeway.outbound.replies import Reply
from causeway.tenancy.context import RequestContext
from causeway.wire import strict_json
from causeway.wire.fields import id_field, known_fields, text_field
from causeway.wire.preconditions import Expected

_PROVIDER = "gohighlevel"
# Characters of a calendar's name that are passed on.
_LONGEST_NAME = 1000
_VERSION = "2021-04-15"
_ID = re.compile(r"[0-9A-Za-z_-]{1,128}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# The widest distance of a time zone from UTC, with the day's length: what a local day can reach over.
_WEST, _EAST = timedelta(hours=14), timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Day:
    """GET .../free-slots: a day, in a time zone of the IANA's names."""

    day: date
    timezone: str

    @classmethod
    def parse(cls, query: dict[str, str]) -> Self:
        """Read the query; raises InvalidRequest, which names the parameter."""
        known_fields(query, {"date", "timezone"})
        text = query.get("date", "")
        try:
            # Of the forms of ISO 8601 this one alone: fromisoformat takes weeks too.
            day = date.fromisoformat(text if _DAY.fullmatch(text) else "")
            datetime.combine(day, time()) - timedelta(days=1)
            datetime.combine(day, time()) + timedelta(days=2)
        except (ValueError, OverflowError) as error:
            raise InvalidRequest("date must be a day such as 2026-01-31") from error
        return cls(day, text_field(query, "timezone", 64, "UTC") or "UTC")


@dataclass(frozen=True, slots=True)
class BlockedSlot:
    """POST .../block-slots: from when to when a calendar is not to be booked, and why."""

    start: datetime
    end: datetime
    title: str

    @classmethod
    def parse(cls, body: dict[str, Any]) -> Self:
        """Read the body; raises InvalidRequest, which names the field."""
        known_fields(body, {"startTime", "endTime", "title"})
        start, end = _moment(body, "startTime"), _moment(body, "endTime")
        if start >= end:
            raise InvalidRequest("endTime must be after startTime")
        return cls(start, end, text_field(body, "title", 200, ""))


def _moment(body: dict[str, Any], name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text_field(body, name, 40))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise InvalidRequest(f"{name} must be a time with its zone, such as 2026-01-31T14:00:00+01:00")
    return moment


def every(context: RequestContext, connection_id: UUID) -> list[dict[str, Any]]:
    """Return the calendars of the connection's location: id, name, and whether it is in use.

    Raises:
        ConnectionNotFound, IntegrationNotActive, NotSupported: not a GoHighLevel connection.
        ProviderRejected, and the verdict's error: as the platform answered.
    """
    with opened(context, connection_id, _PROVIDER) as connection:
        answer = _read(
            connection.call(
                "GET", "/calendars/", query={"locationId": connection.field("locationId")}, headers=_HEADERS
            )
        )
    found = answer.get("calendars")
    if not isinstance(found, list):
        raise UnexpectedAnswer("The platform's answer has no calendars")
    return [_calendar(calendar) for calendar in found]


def _calendar(found: Any) -> dict[str, Any]:
    """Return what is shown of a calendar as the platform told it; raises UnexpectedAnswer."""
    wanted = found if isinstance(found, dict) else {}
    active = wanted.get("isActive")
    try:
        name = text_field(wanted, "name", _LONGEST_NAME, "") if wanted.get("name") is not None else None
        shown = {"id": id_field(wanted, "id"), "name": name, "isActive": active}
    except InvalidRequest as error:
        raise UnexpectedAnswer("The platform's answer has a calendar with a malformed id or name") from error
    if active is not None and not isinstance(active, bool):
        raise UnexpectedAnswer("The platform's answer has a calendar of which it does not say whether it is in use")
    return shown


def free_slots(context: RequestContext, connection_id: UUID, calendar_id: str, wanted: Day) -> list[str]:
    """Return when a calendar is free on a day, as HH:MM of the time zone; raises as every does.

    The platform answers by local day for any time it is asked about: it is asked about every moment that can be that
    day somewhere, and the day is picked from its answer.
    """
    midnight = datetime.combine(wanted.day, time(), UTC)
    query = {
        "startDate": _milliseconds(midnight - _WEST),
        "endDate": _milliseconds(midnight + timedelta(days=1) + _EAST),
        "timezone": wanted.timezone,
    }
    path = f"/calendars/{_path_id(calendar_id)}/free-slots"
    with opened(context, connection_id, _PROVIDER) as connection:
        answer = _read(connection.call("GET", path, query=query, headers=_HEADERS))
    day = answer.get(wanted.day.isoformat(), {})
    slots = day.get("slots", []) if isinstance(day, dict) else []
    try:
        return sorted({f"{datetime.fromisoformat(slot):%H:%M}" for slot in slots})
    except (TypeError, ValueError) as error:
        raise UnexpectedAnswer("The platform's answer has slots that are no times") from error


def block(
    context: RequestContext, connection_id: UUID, calendar_id: str, slot: BlockedSlot, expected: Expected
) -> dict[str, Any]:
    """Keep a time of a calendar from being booked; returns the platform's record of it.

    Args:
        context: who blocks it.
        connection_id: the connection.
        calendar_id: the calendar.
        slot: the time.
        expected: the versions of the connection that its reader saw.

    Raises:
        ProviderOutcomeUnknown: it may be kept or not; and as every does.
    """
    calendar = _path_id(calendar_id)
    with opened(context, connection_id, _PROVIDER, expected=expected) as connection:
        content = {
            "calendarId": calendar,
            "locationId": connection.field("locationId"),
            "startTime": slot.start.isoformat(),
            "endTime": slot.end.isoformat(),
            "title": slot.title,
        }
        reply = connection.call("POST", "/calendars/events/block-slots", content=content, headers=_HEADERS)
    try:
        blocked_id = id_field(strict_json.parse_object(reply.body), "id")
    except InvalidRequest as error:
        raise ProviderOutcomeUnknown from error
    return {
        "id": blocked_id,
        "calendarId": calendar,
        "startTime": slot.start.isoformat(),
        "endTime": slot.end.isoformat(),
        "title": slot.title,
    }


_HEADERS = {"Version": _VERSION}


def _path_id(calendar_id: str) -> str:
    if not _ID.fullmatch(calendar_id):
        raise InvalidRequest("The calendar's id must be letters, digits, _ and -")
    return quote(calendar_id, safe="")


def _milliseconds(moment: datetime) -> str:
    return str(round(moment.timestamp() * 1000))


def _read(reply: Reply) -> dict[str, Any]:
    try:
        return strict_json.parse_object(reply.body)
    except InvalidRequest as error:
        raise UnexpectedAnswer("The platform's answer is not a JSON object that can be read in one way only") from error
