"""GoHighLevel: one location with one calendar, after apps/*.json of https://github.com/GoHighLevel/highlevel-api-docs."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from local.sandbox.exchange import Request, Response
from local.sandbox.oauth import AuthorizationServer, Grant, Vendor
from local.sandbox.problems import phrase, waits, without_wait
from local.sandbox.routes import Handler, Route

CREDENTIALS = {
    "apiKey": "pit-sandbox-gohighlevel",
    "locationId": "ve9EPM428h8vShlRW1KT",
    "calendarId": "BqTwX8QFwXzpegMve9EQ",
}

OAUTH_APP = {"client_id": "6600a0000000000000000001-sandbox", "client_secret": "sandbox-gohighlevel-secret"}

# The token after a rotation: "Rotate and expire this token later" leaves the old one valid for seven days
# (https://docs.gitguardian.com/secrets-detection/secrets-detection-engine/detectors/specifics/hl_private_integration_token).
ROTATED_KEY = "pit-sandbox-gohighlevel-rotated"
# The Version header that each API requires.
_CALENDARS_VERSION = "2021-04-15"
_LOCATIONS_VERSION = "2021-07-28"
_LONGEST_RANGE = timedelta(days=31)
_OPENS, _CLOSES, _SLOT = time(9), time(17), timedelta(minutes=30)
_ZONE = "Asia/Dubai"


def routes() -> list[Route]:
    """Return the routes of the login, of the location and of its calendar, with no slot blocked yet."""
    calendar = Calendar()
    login = AuthorizationServer("gohighlevel", _VENDOR, access=(CREDENTIALS["apiKey"], ROTATED_KEY))
    calls = (
        ("GET", r"/locations/(?P<location>\w+)", _LOCATIONS_VERSION, _location),
        ("GET", "/calendars/", _CALENDARS_VERSION, _calendars),
        ("GET", r"/calendars/(?P<calendar>\w+)/free-slots", _CALENDARS_VERSION, calendar.free_slots),
        ("POST", "/calendars/events/block-slots", _CALENDARS_VERSION, calendar.block),
    )
    return [
        *login.routes("/v2/oauth/chooselocation", "/oauth/token"),
        *(
            Route(method, path, login.authenticate, _versioned(version, handler))
            for method, path, version, handler in calls
        ),
    ]


def _token(grant: Grant, _: bool) -> dict[str, Any]:
    """https://github.com/GoHighLevel/highlevel-api-docs/blob/main/apps/oauth.json."""
    return {
        "access_token": grant.access_token,
        "token_type": "Bearer",
        "expires_in": 86_399,
        "refresh_token": grant.refresh_token,
        "scope": " ".join(grant.scopes),
        "userType": "Location",
        "locationId": CREDENTIALS["locationId"],
        "companyId": "5DP4iH6HLkQsiKESj6rh",
        "userId": "sandboxUser",
    }


# The redirect has only the code: https://github.com/GoHighLevel/highlevel-api-docs/blob/main/docs/oauth/Authorization.md
_VENDOR = Vendor(
    client_id=OAUTH_APP["client_id"],
    client_secret=OAUTH_APP["client_secret"],
    answer=_token,
    refusal=lambda status, error, description: _refusal(f"Invalid grant: {description}", status, error),
    declined=None,
    returns_state=False,
    refresh="rotated",
    needs={"user_type": "Location"},
)


def problem(status: int) -> Response:
    """Return an error in the format of the common schemas."""
    message = {401: "Invalid token: access token is invalid", 429: "Too Many Requests"}.get(status, phrase(status))
    return Response(status, {"statusCode": status, "message": message, "error": phrase(status)}, waits(status))


def exhausted(_seconds: float) -> Mapping[str, str]:
    """Return the headers of an interval of 10 s without a request left. No header tells when it ends."""
    return _usage(daily=199_000, interval=0)


def _throttled(_seconds: float) -> Response:
    return replace(without_wait(problem(429)), headers=_usage(daily=199_000, interval=0))


def _throttled_day(_seconds: float) -> Response:
    return replace(without_wait(problem(429)), headers=_usage(daily=0, interval=100))


def _usage(daily: int, interval: int) -> dict[str, str]:
    """Return the headers of Authorization.md, Rate Limits: the requests left of the day and of the interval."""
    return {
        "X-RateLimit-Limit-Daily": "200000",
        "X-RateLimit-Daily-Remaining": str(daily),
        "X-RateLimit-Interval-Milliseconds": "10000",
        "X-RateLimit-Max": "100",
        "X-RateLimit-Remaining": str(interval),
    }


FAULTS = {"throttled": _throttled, "throttled_day": _throttled_day}


class Calendar:
    """The slots of the calendar: half an hour each, in opening hours; a blocked slot is no longer free."""

    def __init__(self) -> None:
        self._blocked: list[tuple[datetime, datetime]] = []

    def free_slots(self, request: Request, path: Mapping[str, str]) -> Response | int:
        """GET /calendars/{calendarId}/free-slots?startDate=&endDate=&timezone=; the dates in milliseconds."""
        if path["calendar"] != CREDENTIALS["calendarId"]:
            return 404
        try:
            start, end = (
                datetime.fromtimestamp(int(request.query.get(name, "")) / 1000, UTC)
                for name in ("startDate", "endDate")
            )
            zone = ZoneInfo(request.query.get("timezone", _ZONE))
        except (ValueError, OverflowError, OSError, ZoneInfoNotFoundError):
            return _refusal("startDate and endDate must be milliseconds, timezone a zone's name")
        if not timedelta() <= end - start <= _LONGEST_RANGE:
            return _refusal("The date range must not exceed 31 days")
        days: dict[str, Any] = {}
        day = start.astimezone(zone).date()
        while day <= end.astimezone(zone).date():
            slots = [slot.isoformat() for slot in self._free(day, zone) if start <= slot < end]
            if slots:
                days[day.isoformat()] = {"slots": slots}
            day += timedelta(days=1)
        return Response(200, {**days, "traceId": "00000000-0000-0000-0000-000000000000"})

    def block(self, request: Request, _: Mapping[str, str]) -> Response | int:
        """POST /calendars/events/block-slots."""
        wanted = request.json
        missing = [name for name in ("calendarId", "locationId", "startTime", "endTime") if not wanted.get(name)]
        if missing:
            messages = [f"{name} should not be empty" for name in missing]
            return Response(422, {"statusCode": 422, "message": messages, "error": "Unprocessable Entity"})
        if wanted["locationId"] != CREDENTIALS["locationId"]:
            return _other_location()
        if wanted["calendarId"] != CREDENTIALS["calendarId"]:
            return 404
        try:
            start, end = (_moment(wanted[name]) for name in ("startTime", "endTime"))
        except (TypeError, ValueError):
            return _refusal("startTime and endTime must be ISO 8601 with an offset")
        if start >= end:
            return _refusal("The end time must be after the start time")
        self._blocked.append((start, end))
        given = {name: wanted[name] for name in ("calendarId", "locationId", "startTime", "endTime")}
        identity = f"sandboxBlockedSlot{len(self._blocked)}"
        return Response(201, {"id": identity, "title": wanted.get("title", ""), **given})

    def _free(self, day: date, zone: ZoneInfo) -> list[datetime]:
        moment, closes = datetime.combine(day, _OPENS, zone), datetime.combine(day, _CLOSES, zone)
        slots = []
        while moment < closes:
            ends = moment + _SLOT
            if not any(start < ends and moment < end for start, end in self._blocked):
                slots.append(moment)
            moment = ends
        return slots


def _location(_: Request, path: Mapping[str, str]) -> Response:
    """GET /locations/{locationId}."""
    if path["location"] != CREDENTIALS["locationId"]:
        return _other_location()
    agency = {"companyId": "5DP4iH6HLkQsiKESj6rh"}
    location = {"id": CREDENTIALS["locationId"], **agency, "name": "Causeway sandbox", "timezone": _ZONE}
    return Response(200, {"location": location})


def _calendars(request: Request, _: Mapping[str, str]) -> Response:
    """GET /calendars/?locationId=."""
    if request.query.get("locationId") != CREDENTIALS["locationId"]:
        return _other_location()
    identity = {"id": CREDENTIALS["calendarId"], "locationId": CREDENTIALS["locationId"]}
    calendar = {**identity, "name": "Demo calendar", "isActive": True, "slotDuration": 30, "slotDurationUnit": "mins"}
    return Response(200, {"calendars": [calendar]})


def _versioned(version: str, handler: Handler) -> Handler:
    """Return the handler behind a check of the request's Version header."""

    def handle(request: Request, path: Mapping[str, str]) -> Response | int:
        if request.headers.get("version") != version:
            return _refusal("version header was not found or is invalid.", 401, "Unauthorized")
        return handler(request, path)

    return handle


def _refusal(message: str, status: int = 400, error: str = "Bad Request") -> Response:
    return Response(status, {"statusCode": status, "message": message, "error": error})


def _other_location() -> Response:
    return _refusal("The token does not have access to this location.", 403, "Forbidden")


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment
