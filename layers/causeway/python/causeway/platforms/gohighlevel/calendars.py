"""Calendars of GoHighLevel: version 2021-04-15 of its Calendars API.

Source: https://github.com/GoHighLevel/highlevel-api-docs, apps/calendars.json.
"""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from urllib.parse import quote

from causeway.errors.platforms import ProviderOutcomeUnknown, UnexpectedAnswer
from causeway.errors.requests import InvalidRequest
from causeway.outbound.replies import Reply
from causeway.platforms.kinds.calendars import CALENDAR_ID, Block, Calendar, Day
from causeway.platforms.open_account import OpenAccount
from causeway.wire import strict_json
from causeway.wire.field_readers import id_field, text_field

_HEADERS = {"Version": "2021-04-15"}
# Characters of a calendar's name that are passed on.
_LONGEST_NAME = 1000
# How far before and after the day in UTC a local day can begin and end.
_WEST, _EAST = timedelta(hours=14), timedelta(hours=12)


def list_calendars(account: OpenAccount) -> list[Calendar]:
    """Return the calendars of the connection's location; raises as Calendars says."""
    reply = account.call("GET", "/calendars/", query={"locationId": account.field("locationId")}, headers=_HEADERS)
    found = _read(reply).get("calendars")
    if not isinstance(found, list):
        raise UnexpectedAnswer("The platform's answer has no calendars")
    return [_calendar(calendar) for calendar in found]


def _calendar(found: Any) -> Calendar:
    given = found if isinstance(found, dict) else {}
    active = given.get("isActive")
    try:
        name = text_field(given, "name", _LONGEST_NAME, "") if given.get("name") is not None else None
        calendar_id = id_field(given, "id")
    except InvalidRequest as error:
        raise UnexpectedAnswer("The platform's answer has a calendar with a malformed id or name") from error
    if not CALENDAR_ID.fullmatch(calendar_id):
        raise UnexpectedAnswer("The platform's answer has a calendar with a malformed id")
    if active is not None and not isinstance(active, bool):
        raise UnexpectedAnswer("The platform's answer has a calendar of which it does not say whether it is in use")
    return Calendar(calendar_id, name, active)


def free_slots(account: OpenAccount, calendar_id: str, day: Day) -> list[str]:
    """Return the times of a day at which a calendar is free; raises as Calendars says.

    The platform answers with local days, but is asked with moments: ask for every moment that can belong to the day in
    some time zone, and take the day from the answer.
    """
    midnight = datetime.combine(day.day, time(), UTC)
    query = {
        "startDate": _milliseconds(midnight - _WEST),
        "endDate": _milliseconds(midnight + timedelta(days=1) + _EAST),
        "timezone": day.timezone,
    }
    path = f"/calendars/{quote(calendar_id, safe='')}/free-slots"
    found = _read(account.call("GET", path, query=query, headers=_HEADERS)).get(day.day.isoformat(), {})
    slots = found.get("slots", []) if isinstance(found, dict) else []
    try:
        return sorted({f"{datetime.fromisoformat(slot):%H:%M}" for slot in slots})
    except (TypeError, ValueError) as error:
        raise UnexpectedAnswer("The platform's answer has slots that are no times") from error


def block_slot(account: OpenAccount, calendar_id: str, block: Block) -> str:
    """Block a time of a calendar and return the block's id; raises as Calendars says."""
    content = {
        "calendarId": calendar_id,
        "locationId": account.field("locationId"),
        "startTime": block.start.isoformat(),
        "endTime": block.end.isoformat(),
        "title": block.title,
    }
    reply = account.call("POST", "/calendars/events/block-slots", content=content, headers=_HEADERS)
    try:
        return id_field(strict_json.parse_object(reply.body), "id")
    except InvalidRequest as error:
        raise ProviderOutcomeUnknown from error


def _milliseconds(moment: datetime) -> str:
    return str(round(moment.timestamp() * 1000))


def _read(reply: Reply) -> dict[str, Any]:
    try:
        return strict_json.parse_object(reply.body)
    except InvalidRequest as error:
        raise UnexpectedAnswer("The platform's answer is not a JSON object that can be read in one way only") from error
