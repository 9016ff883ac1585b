"""GoHighLevel's calendars, after apps/calendars.json of https://github.com/GoHighLevel/highlevel-api-docs."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from local.sandbox.exchange import Asked, Said
from local.sandbox.proofs import bearer
from local.sandbox.routes import Answer, Route

# The Version header each API wants.
_CALENDARS_VERSION = "2021-04-15"
_LOCATIONS_VERSION = "2021-07-28"
_LONGEST_RANGE = timedelta(days=31)
_OPENS, _CLOSES, _SLOT = time(9), time(17), timedelta(minutes=30)
_ZONE = "Asia/Dubai"


def _bad(message: str, status: int = 400, error: str = "Bad Request") -> Said:
    return Said(status, {"statusCode": status, "message": message, "error": error})


class Calendars:
    """One location with one calendar; a blocked slot is free no longer."""

    def __init__(self, location: str, calendar: str) -> None:
        self._location = location
        self._calendar = calendar
        self._blocked: list[tuple[datetime, datetime]] = []

    def location(self, _: Asked, path: Mapping[str, str]) -> Said:
        """GET /locations/{locationId}."""
        if path["location"] != self._location:
            return self._stranger()
        return Said(200, {"location": {"id": self._location, "name": "Causeway sandbox", "timezone": _ZONE}})

    def calendars(self, asked: Asked, _: Mapping[str, str]) -> Said:
        """GET /calendars/?locationId=."""
        if asked.query.get("locationId") != self._location:
            return self._stranger()
        calendar = {"id": self._calendar, "locationId": self._location, "name": "Demo calendar", "isActive": True}
        return Said(200, {"calendars": [{**calendar, "slotDuration": 30, "slotDurationUnit": "mins"}]})

    def free_slots(self, asked: Asked, path: Mapping[str, str]) -> Said | int:
        """GET /calendars/{calendarId}/free-slots?startDate=&endDate=&timezone=; the dates in milliseconds."""
        if path["calendar"] != self._calendar:
            return 404
        try:
            start, end = (
                datetime.fromtimestamp(int(asked.query.get(name, "")) / 1000, UTC) for name in ("startDate", "endDate")
            )
            zone = ZoneInfo(asked.query.get("timezone", _ZONE))
        except (ValueError, OverflowError, OSError, ZoneInfoNotFoundError):
            return _bad("startDate and endDate must be milliseconds, timezone a zone's name")
        if not timedelta() <= end - start <= _LONGEST_RANGE:
            return _bad("The date range must not exceed 31 days")
        days: dict[str, Any] = {}
        day = start.astimezone(zone).date()
        while day <= end.astimezone(zone).date():
            slots = [slot.isoformat() for slot in self._slots(day, zone) if start <= slot < end]
            if slots:
                days[day.isoformat()] = {"slots": slots}
            day += timedelta(days=1)
        return Said(200, {**days, "traceId": "00000000-0000-0000-0000-000000000000"})

    def block(self, asked: Asked, _: Mapping[str, str]) -> Said | int:
        """POST /calendars/events/block-slots."""
        wanted = asked.json
        missing = [name for name in ("calendarId", "locationId", "startTime", "endTime") if not wanted.get(name)]
        if missing:
            messages = [f"{name} should not be empty" for name in missing]
            return Said(422, {"statusCode": 422, "message": messages, "error": "Unprocessable Entity"})
        if wanted["locationId"] != self._location:
            return self._stranger()
        if wanted["calendarId"] != self._calendar:
            return 404
        try:
            start, end = (_moment(wanted[name]) for name in ("startTime", "endTime"))
        except (TypeError, ValueError):
            return _bad("startTime and endTime must be ISO 8601 with an offset")
        if start >= end:
            return _bad("The end time must be after the start time")
        self._blocked.append((start, end))
        given = {name: wanted[name] for name in ("calendarId", "locationId", "startTime", "endTime")}
        identity = f"sandboxBlockedSlot{len(self._blocked)}"
        return Said(201, {"id": identity, "title": wanted.get("title", ""), **given})

    def _slots(self, day: date, zone: ZoneInfo) -> list[datetime]:
        moment, closes = datetime.combine(day, _OPENS, zone), datetime.combine(day, _CLOSES, zone)
        slots = []
        while moment < closes:
            ends = moment + _SLOT
            if not any(start < ends and moment < end for start, end in self._blocked):
                slots.append(moment)
            moment = ends
        return slots

    @staticmethod
    def _stranger() -> Said:
        return _bad("The token does not have access to this location.", 403, "Forbidden")


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment


def _versioned(version: str, answer: Answer) -> Answer:
    """The answer, to a request that names the API's version."""

    def with_version(asked: Asked, path: Mapping[str, str]) -> Said | int:
        if asked.headers.get("version") != version:
            return _bad("version header was not found or is invalid.", 401, "Unauthorized")
        return answer(asked, path)

    return with_version


def routes(mine: Mapping[str, str]) -> list[Route]:
    """Return GoHighLevel's routes, with nothing blocked yet."""
    world = Calendars(mine["locationId"], mine["calendarId"])
    proof = bearer(mine["apiKey"])
    calls = (
        ("GET", r"/locations/(?P<location>\w+)", _LOCATIONS_VERSION, world.location),
        ("GET", "/calendars/", _CALENDARS_VERSION, world.calendars),
        ("GET", r"/calendars/(?P<calendar>\w+)/free-slots", _CALENDARS_VERSION, world.free_slots),
        ("POST", "/calendars/events/block-slots", _CALENDARS_VERSION, world.block),
    )
    return [Route(method, path, proof, _versioned(version, answer)) for method, path, version, answer in calls]
