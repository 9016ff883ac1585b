"""GoHighLevel: https://github.com/GoHighLevel/highlevel-api-docs."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from causeway.errors.platforms import ProviderOutcomeUnknown, UnexpectedAnswer
from causeway.platforms.account_details import AccountDetails
from causeway.platforms.gohighlevel import calendars
from causeway.platforms.kinds.calendars import Block, Day
from causeway.platforms.kinds.limits import SILENT, Signal
from local.sandbox.registry import demo_credentials
from tests.platforms.accounts import demo_account, opened
from tests.platforms.facts import Facts
from tests.platforms.gohighlevel_answers import MALFORMED_CALENDARS, UNREADABLE_BLOCKS
from tests.platforms.recorder import JSON, Sent, bearer, parsed
from tests.unit.wire_server import Act, WireServer, ok

FACTS = Facts(
    kind="crm",
    secrets=frozenset({"apiKey", "client_secret", "refresh_token", "webhookSecret"}),
    example={"apiKey": "pit-1", "locationId": "loc1", "calendarId": "cal1", "webhookSecret": "s"},
    verdicts=(
        (401, {"statusCode": 401, "message": "Invalid token: access token is invalid"}, "INVALID_CREDENTIALS"),
        (422, {"statusCode": 422, "message": ["endTime should not be empty"]}, "PROVIDER_REJECTED"),
    ),
    # apps/locations.json: GetLocationByIdSchema
    details=AccountDetails("Causeway sandbox", "5DP4iH6HLkQsiKESj6rh", "ve9EPM428h8vShlRW1KT"),
    # Authorization.md, Rate Limits
    limits=(
        (
            200,
            {"X-RateLimit-Remaining": "0", "X-RateLimit-Interval-Milliseconds": "4000"},
            {},
            Signal(wait=4, remaining=0),
        ),
        (429, {"X-RateLimit-Remaining": "0"}, {}, Signal(wait=10, remaining=0)),
        (429, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1392815263"}, {}, SILENT),
        (200, {"X-RateLimit-Daily-Remaining": "0", "X-RateLimit-Remaining": "0"}, {}, Signal(wait=3600, remaining=0)),
        (200, {"X-RateLimit-Daily-Remaining": "1", "X-RateLimit-Remaining": "1"}, {}, SILENT),
        (429, {}, {}, SILENT),
    ),
    throttled={"throttled": 10, "throttled_day": 3600},
)
MINE = demo_credentials("gohighlevel")
# 2026-03-16 00:00 UTC and the length of a day, in milliseconds.
START, DAY = 1_773_619_200_000, 86_400_000


def test_connection_test_reads_the_location(sent: Callable[[str], list[Sent]]) -> None:
    headers = {"Version": "2021-07-28"} | bearer(MINE["apiKey"])

    assert sent("gohighlevel") == [Sent("GET", f"/locations/{MINE['locationId']}", headers)]


def test_sandbox_words_a_refusal_as_gohighlevel_does(call: Callable[..., tuple[int, Any]]) -> None:
    assert call("GET", "/gohighlevel/locations/x")[1]["message"] == "Invalid token: access token is invalid"


# The calendars' code.

Serve = Callable[[Act], WireServer]
CALENDARS = {"Version": "2021-04-15"} | bearer(MINE["apiKey"])
BLOCK = Block(datetime(2026, 3, 16, 6, 15, tzinfo=UTC), datetime(2026, 3, 16, 7, tzinfo=UTC), "Lunch")


def answered(content: Any) -> Act:
    return ok(json.dumps(content).encode())


def test_calendars_of_the_location_are_listed(serve: Serve) -> None:
    server = serve(answered({"calendars": [{"id": "c1", "name": "Room", "isActive": True, "slotDuration": 30}]}))
    [listed] = calendars.list_calendars(opened(demo_account("gohighlevel", server.url)))

    assert (listed.calendar_id, listed.name, listed.is_active) == ("c1", "Room", True)
    assert parsed(server.requests[0], "gohighlevel") == Sent(
        "GET", f"/calendars/?locationId={MINE['locationId']}", CALENDARS
    )


@pytest.mark.parametrize("calendar", MALFORMED_CALENDARS, ids=repr)
def test_malformed_calendar_is_an_unexpected_answer(serve: Serve, calendar: Any) -> None:
    server = serve(answered({"calendars": [calendar]}))

    with pytest.raises(UnexpectedAnswer):
        calendars.list_calendars(opened(demo_account("gohighlevel", server.url)))


def test_free_slots_are_asked_for_every_time_zone_of_the_day(serve: Serve) -> None:
    """A local day begins up to 14 hours before, and ends up to 12 hours after, the day in UTC."""
    slots = ["2026-03-16T10:00:00+04:00", "2026-03-16T09:30:00+04:00", "2026-03-16T10:00:00+04:00"]
    server = serve(answered({"2026-03-16": {"slots": slots}, "2026-03-17": {"slots": slots}, "traceId": "t"}))
    account = opened(demo_account("gohighlevel", server.url))

    assert calendars.free_slots(account, "c1", Day(date(2026, 3, 16), "Asia/Dubai")) == ["09:30", "10:00"]
    hour = DAY // 24
    query = f"startDate={START - 14 * hour}&endDate={START + DAY + 12 * hour}&timezone=Asia%2FDubai"
    assert parsed(server.requests[0], "gohighlevel") == Sent("GET", f"/calendars/c1/free-slots?{query}", CALENDARS)


@pytest.mark.parametrize("slots", [["soon"], [5], 5])
def test_malformed_slot_is_an_unexpected_answer(serve: Serve, slots: Any) -> None:
    server = serve(answered({"2026-03-16": {"slots": slots}}))

    with pytest.raises(UnexpectedAnswer):
        calendars.free_slots(opened(demo_account("gohighlevel", server.url)), "c1", Day(date(2026, 3, 16), "UTC"))


def test_slot_is_blocked_and_its_id_returned(serve: Serve) -> None:
    server = serve(answered({"id": "b1", "title": "Lunch"}))

    assert calendars.block_slot(opened(demo_account("gohighlevel", server.url)), "c1", BLOCK) == "b1"
    times = {"startTime": "2026-03-16T06:15:00+00:00", "endTime": "2026-03-16T07:00:00+00:00"}
    body = {"calendarId": "c1", "locationId": MINE["locationId"], **times, "title": "Lunch"}
    assert parsed(server.requests[0], "gohighlevel") == Sent(
        "POST", "/calendars/events/block-slots", JSON | CALENDARS, body
    )


@pytest.mark.parametrize("answer", UNREADABLE_BLOCKS.values(), ids=UNREADABLE_BLOCKS)
def test_unreadable_answer_to_a_block_leaves_its_outcome_unknown(serve: Serve, answer: bytes) -> None:
    server = serve(ok(answer))

    with pytest.raises(ProviderOutcomeUnknown):
        calendars.block_slot(opened(demo_account("gohighlevel", server.url)), "c1", BLOCK)


# The sandbox's calendar.

Calendar = Callable[..., tuple[int, Any]]
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
