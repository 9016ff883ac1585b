"""GoHighLevel: https://github.com/GoHighLevel/highlevel-api-docs."""

from collections.abc import Callable
from typing import Any

import pytest

from local.sandbox.registry import demo_credentials
from tests.platforms.facts import Facts
from tests.platforms.recorder import Sent, bearer

FACTS = Facts(
    kind="crm",
    secrets=frozenset({"apiKey", "webhookSecret"}),
    example={"apiKey": "pit-1", "locationId": "loc1", "calendarId": "cal1", "webhookSecret": "s"},
    verdicts=(
        (401, {"statusCode": 401, "message": "Invalid token: access token is invalid"}, "INVALID_CREDENTIALS"),
        (422, {"statusCode": 422, "message": ["endTime should not be empty"]}, "PROVIDER_REJECTED"),
    ),
)
MINE = demo_credentials("gohighlevel")


def test_connection_test_reads_the_location(sent: Callable[[str], list[Sent]]) -> None:
    headers = {"Version": "2021-07-28"} | bearer(MINE["apiKey"])

    assert sent("gohighlevel") == [Sent("GET", f"/locations/{MINE['locationId']}", headers)]


def test_sandbox_words_a_refusal_as_gohighlevel_does(call: Callable[..., tuple[int, Any]]) -> None:
    assert call("GET", "/gohighlevel/locations/x")[1]["message"] == "Invalid token: access token is invalid"


# The sandbox's calendar.

Calendar = Callable[..., tuple[int, Any]]
# 2026-03-16 00:00 UTC and the length of a day, in milliseconds.
START, DAY = 1_773_619_200_000, 86_400_000
LUNCH = {
    "calendarId": MINE["calendarId"],
    "locationId": MINE["locationId"],
    "startTime": "2026-03-16T10:15:00+04:00",
    "endTime": "2026-03-16T11:00:00+04:00",
}


@pytest.fixture
def calendar(call: Callable[..., tuple[int, Any]]) -> Calendar:
    """Calls the calendar's API with the demo token: calendar("GET", "/calendars/...", content, version="...")."""

    def make(method: str, path: str, content: Any = None, version: str = "2021-04-15") -> tuple[int, Any]:
        return call(method, f"/gohighlevel{path}", bearer(MINE["apiKey"]) | {"Version": version}, content)

    return make


def test_calendar_is_listed(calendar: Calendar) -> None:
    listed = calendar("GET", f"/calendars/?locationId={MINE['locationId']}")[1]

    assert listed["calendars"][0]["id"] == MINE["calendarId"]
    assert calendar("GET", "/calendars/?locationId=another")[0] == 403
    assert calendar("GET", f"/calendars/?locationId={MINE['locationId']}", version="")[0] == 401


def test_blocked_slot_is_no_longer_free(calendar: Calendar) -> None:
    free = f"/calendars/{MINE['calendarId']}/free-slots?startDate={START}&endDate={START + DAY}&timezone=Asia/Dubai"

    before = calendar("GET", free)[1]["2026-03-16"]["slots"]
    status, blocked = calendar("POST", "/calendars/events/block-slots", LUNCH | {"title": "Lunch"})
    after = calendar("GET", free)[1]["2026-03-16"]["slots"]

    assert (status, blocked["title"], blocked["startTime"]) == (201, "Lunch", LUNCH["startTime"])
    assert len(before) == 16
    assert sorted(set(before) - set(after)) == ["2026-03-16T10:00:00+04:00", "2026-03-16T10:30:00+04:00"]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        (f"startDate={START}&endDate={START + 31 * DAY}", 200),
        (f"startDate={START}&endDate={START + 32 * DAY}", 400),
        (f"startDate={START}&endDate={START - 1}", 400),
        ("startDate=2026-03-16&endDate=2026-03-17", 400),
        ("", 400),
        (f"startDate={START}&endDate={START}&timezone=Nowhere/At_all", 400),
        (f"startDate={START}&endDate={START}&timezone=../etc/passwd", 400),
    ],
)
def test_range_of_free_slots_is_checked(calendar: Calendar, query: str, status: int) -> None:
    assert calendar("GET", f"/calendars/{MINE['calendarId']}/free-slots?{query}")[0] == status


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"startTime": ""}, 422),
        ({"locationId": "another"}, 403),
        ({"calendarId": "another"}, 404),
        ({"startTime": "2026-03-16T10:15:00"}, 400),
        ({"startTime": "2026-03-17T10:15:00+04:00"}, 400),
        ({"endTime": 5}, 400),
    ],
)
def test_blocked_slot_is_checked(calendar: Calendar, change: dict[str, Any], status: int) -> None:
    assert calendar("POST", "/calendars/events/block-slots", LUNCH | change)[0] == status
