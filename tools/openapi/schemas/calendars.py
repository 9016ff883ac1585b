"""A connection's calendars, their free slots and blocked slots."""

from causeway.platforms.kinds.calendars import CALENDAR_ID
from tools.openapi.schemas.shapes import TIME, Schema, list_of, object_of, or_null, text

CALENDAR: Schema = {"type": "string", "pattern": f"^{CALENDAR_ID.pattern}$"}
_SLOT = {"startTime": TIME, "endTime": TIME, "title": text(200, 0)}

SCHEMAS: dict[str, Schema] = {
    "CalendarList": object_of(
        {
            "calendars": list_of(
                object_of(
                    {"id": CALENDAR, "name": or_null(text(1000, 0)), "isActive": or_null({"type": "boolean"})},
                    description="As the platform names them.",
                )
            )
        }
    ),
    "Day": object_of(
        {"date": {"type": "string", "format": "date"}, "timezone": text(64) | {"default": "UTC"}}, "timezone"
    ),
    "FreeSlots": object_of({"slots": list_of({"type": "string", "pattern": "^[0-9]{2}:[0-9]{2}$"})}),
    "BlockedSlotDraft": object_of(_SLOT, "title"),
    "BlockedSlot": object_of({"id": text(255), "calendarId": CALENDAR, **_SLOT}),
}
