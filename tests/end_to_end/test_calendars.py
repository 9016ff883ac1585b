"""GoHighLevel's calendars through the API: responses, calls to the platform, and errors."""

import json
from collections.abc import Callable, Iterator
from secrets import token_hex
from typing import Any
from urllib.parse import urlencode

import psycopg
import pytest

from local.sandbox.registry import demo_credentials
from local.stack import Stack
from tests.hub.client import THEIR_ADMIN, Hub, Reply
from tests.platforms.played import Played

CREDENTIALS = demo_credentials("gohighlevel")
CALENDAR = CREDENTIALS["calendarId"]
# The sandbox's opening hours are the same in every time zone.
ALL_DAY = [f"{hour:02}:{minute}" for hour in range(9, 17) for minute in ("00", "30")]
BLOCKED = {"startTime": "2027-05-03T10:00:00+02:00", "endTime": "2027-05-03T10:30:00+02:00"}


@pytest.fixture
def platform(stack: Stack) -> Iterator[Played]:
    platform = Played(stack.info["sandbox_url"], "gohighlevel")
    yield platform
    platform.recover()


@pytest.fixture(scope="module")
def hub(stack: Stack) -> Hub:
    return Hub(stack.base_url, stack.info["tokens"])


def connected(hub: Hub, template: str = "gohighlevel") -> str:
    """Make an active connection and return its path."""
    body = {"templateId": template, "name": token_hex(8), "config": demo_credentials(template)}
    made = hub.call("POST", "/integrations", body=body)
    assert (made.status, made.json["status"]) == (201, "active"), made
    return f"/integrations/{made.json['id']}"


@pytest.fixture(scope="module")
def path(hub: Hub) -> str:
    """The path of a connection that no test changes."""
    return connected(hub)


def slots(hub: Hub, path: str, calendar: str = CALENDAR, **query: str) -> Reply:
    return hub.call("GET", f"{path}/calendars/{calendar}/free-slots?{urlencode(query)}")


def block(hub: Hub, path: str, body: dict[str, Any], calendar: str = CALENDAR) -> Reply:
    return hub.call("POST", f"{path}/calendars/{calendar}/block-slots", body=body)


def every_call(hub: Hub, path: str) -> list[Reply]:
    """Return the responses of the calendars' three routes."""
    return [hub.call("GET", f"{path}/calendars"), slots(hub, path, date="2027-05-03"), block(hub, path, BLOCKED)]


def test_calendars_of_the_connections_location_are_listed(hub: Hub, path: str) -> None:
    found = hub.call("GET", f"{path}/calendars")

    assert found.status == 200
    assert found.json == {"calendars": [{"id": CALENDAR, "name": "Demo calendar", "isActive": True}]}


@pytest.mark.parametrize(
    ("day", "timezone"),
    [
        ("2027-05-04", "Europe/Berlin"),
        # The clocks go forward.
        ("2027-03-28", "Europe/Berlin"),
        # UTC+14 and UTC-12: the earliest start and the latest end of a local day, in UTC.
        ("2027-05-05", "Pacific/Kiritimati"),
        ("2027-05-05", "Etc/GMT+12"),
    ],
)
def test_free_slots_are_of_the_whole_local_day_and_of_no_other_day(
    hub: Hub, path: str, day: str, timezone: str
) -> None:
    found = slots(hub, path, date=day, timezone=timezone)

    assert (found.status, found.json) == (200, {"slots": ALL_DAY})


def test_free_slots_are_in_utc_without_a_time_zone(hub: Hub, path: str) -> None:
    blocked = {"startTime": "2027-06-01T10:00:00+00:00", "endTime": "2027-06-01T10:30:00Z"}
    assert block(hub, path, blocked).status == 201

    assert slots(hub, path, date="2027-06-01").json["slots"] == [slot for slot in ALL_DAY if slot != "10:00"]


def test_blocked_slot_is_not_free_in_any_time_zone_and_other_days_are_unchanged(hub: Hub, path: str) -> None:
    wanted = {"startTime": "2027-06-07T10:00:00+02:00", "endTime": "2027-06-07T11:00:00+02:00", "title": "Away"}
    blocked = block(hub, path, wanted)

    assert blocked.status == 201
    assert blocked.json.pop("id")
    in_utc = {"startTime": "2027-06-07T08:00:00Z", "endTime": "2027-06-07T09:00:00Z"}
    assert {name: blocked.json[name] for name in ("calendarId", *wanted)} == wanted | in_utc | {"calendarId": CALENDAR}
    in_berlin = slots(hub, path, date="2027-06-07", timezone="Europe/Berlin").json["slots"]
    in_dubai = slots(hub, path, date="2027-06-07", timezone="Asia/Dubai").json["slots"]
    assert in_berlin == [slot for slot in ALL_DAY if not slot.startswith("10:")]
    assert in_dubai == [slot for slot in ALL_DAY if not slot.startswith("12:")]
    for day in ("2027-06-06", "2027-06-08"):
        assert slots(hub, path, date=day, timezone="Europe/Berlin").json["slots"] == ALL_DAY


def test_day_without_a_free_slot_has_none(hub: Hub, path: str) -> None:
    wanted = {"startTime": "2027-07-05T00:00:00+02:00", "endTime": "2027-07-06T00:00:00+02:00"}
    assert block(hub, path, wanted).status == 201

    found = slots(hub, path, date="2027-07-05", timezone="Europe/Berlin")
    assert (found.status, found.json) == (200, {"slots": []})


def test_connection_to_another_platform_is_refused_and_not_used(
    hub: Hub, platform: Played, superuser: psycopg.Connection
) -> None:
    other = connected(hub, "sendgrid")
    before = platform.calls
    for refused in every_call(hub, other):
        assert (refused.status, refused.code) == (409, "NOT_SUPPORTED")

    assert platform.calls == before
    used = "SELECT FROM integration_api_logs WHERE connection_id = %s AND url LIKE '%%/calendars/%%'"
    assert superuser.execute(used, [other.rsplit("/", 1)[1]]).rowcount == 0


def test_disabled_connection_is_refused_and_its_platform_not_called(
    hub: Hub, platform: Played, superuser: psycopg.Connection
) -> None:
    """HUB 15."""
    path = connected(hub)
    assert hub.call("POST", f"{path}/disable", body={}).status == 200
    before = platform.calls
    for refused in every_call(hub, path):
        assert (refused.status, refused.code) == (409, "INTEGRATION_NOT_ACTIVE")

    assert platform.calls == before
    used = "SELECT FROM integration_api_logs WHERE connection_id = %s AND url LIKE '%%/calendars/%%'"
    assert superuser.execute(used, [path.rsplit("/", 1)[1]]).rowcount == 0


def test_another_tenants_connection_is_not_found(hub: Hub, path: str, platform: Played) -> None:
    """HUB 43."""
    before = platform.calls
    calendar = f"{path}/calendars/{CALENDAR}"
    for refused in (
        hub.call("GET", f"{path}/calendars", THEIR_ADMIN),
        hub.call("GET", f"{calendar}/free-slots?date=2027-05-03", THEIR_ADMIN),
        hub.call("POST", f"{calendar}/block-slots", THEIR_ADMIN, BLOCKED),
    ):
        assert (refused.status, refused.code) == (404, "CONNECTION_NOT_FOUND")
    assert platform.calls == before


@pytest.mark.parametrize("connection", ["1", "not-an-id", "00000000-0000-4000-8000-00000000000c"])
def test_id_of_no_connection_is_not_found(hub: Hub, connection: str) -> None:
    for refused in every_call(hub, f"/integrations/{connection}"):
        assert (refused.status, refused.code) == (404, "CONNECTION_NOT_FOUND")


@pytest.mark.parametrize(
    ("calendar", "status"),
    [
        ("a%20b", 400),
        ("%2E%2E", 400),
        ("a.b", 400),
        ("a" * 129, 400),
        ("%C3%A9", 400),
        # Decoded, these lead to no route of the API.
        ("a%2Fb", 404),
        ("..%2F..%2Flocations", 404),
        ("%0d%0a", 400),
    ],
)
def test_malformed_calendar_id_is_refused_and_the_platform_not_called(
    hub: Hub, path: str, platform: Played, calendar: str, status: int
) -> None:
    """HUB 13."""
    before = platform.calls
    for refused in (slots(hub, path, calendar, date="2027-05-03"), block(hub, path, BLOCKED, calendar)):
        assert refused.status == status
    assert platform.calls == before


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ({}, "date"),
        ({"date": ""}, "date"),
        ({"date": "2027-02-29"}, "date"),
        ({"date": "20270503"}, "date"),
        ({"date": "2027-W18-1"}, "date"),
        ({"date": "03.05.2027"}, "date"),
        ({"date": "2027-05-03T00:00:00"}, "date"),
        ({"date": "0001-01-01"}, "date"),
        ({"date": "9999-12-31"}, "date"),
        ({"date": "2027-05-03", "timezone": ""}, "timezone"),
        ({"date": "2027-05-03", "timezone": "x" * 65}, "timezone"),
        ({"date": "2027-05-03", "timezone": "a\0b"}, "timezone"),
        ({"date": "2027-05-03", "startDate": "0"}, "startDate"),
    ],
)
def test_malformed_day_is_refused_by_name_and_the_platform_not_called(
    hub: Hub, path: str, platform: Played, query: dict[str, str], named: str
) -> None:
    before = platform.calls
    refused = slots(hub, path, **query)

    assert (refused.status, refused.code) == (400, "INVALID_REQUEST")
    assert refused.json["error"].startswith(named)
    assert platform.calls == before


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"startTime": None}, "startTime"),
        ({"startTime": 1809504000}, "startTime"),
        ({"startTime": "2027-05-03T09:00:00"}, "startTime"),
        ({"startTime": "tomorrow"}, "startTime"),
        ({"endTime": "2027-05-03"}, "endTime"),
        ({"endTime": "2027-05-03T25:00:00+02:00"}, "endTime"),
        # The same moment in another time zone, and an end that only looks later than the start.
        ({"endTime": "2027-05-03T08:00:00Z"}, "endTime"),
        ({"endTime": "2027-05-03T11:00:00+06:00"}, "endTime"),
        ({"title": 5}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"title": "\ud800"}, "title"),
        ({"calendarId": "another"}, "calendarId"),
    ],
)
def test_malformed_slot_is_refused_by_name_and_the_platform_not_called(
    hub: Hub, path: str, platform: Played, change: dict[str, Any], named: str
) -> None:
    before = platform.calls
    refused = block(hub, path, BLOCKED | change)

    assert (refused.status, refused.code) == (400, "INVALID_REQUEST")
    assert refused.json["error"].startswith(named)
    assert platform.calls == before


def test_slot_without_its_end_is_refused(hub: Hub, path: str) -> None:
    refused = block(hub, path, {"startTime": BLOCKED["startTime"]})

    assert (refused.status, refused.code) == (400, "INVALID_REQUEST")
    assert refused.json["error"].startswith("endTime")


def test_refusal_of_the_platform_is_answered_as_a_refusal(hub: Hub, path: str) -> None:
    """An unknown calendar, and an unknown time zone."""
    for refused in (
        slots(hub, path, "another", date="2027-05-03"),
        slots(hub, path, date="2027-05-03", timezone="Nowhere/Else"),
        block(hub, path, BLOCKED, "another"),
    ):
        assert (refused.status, refused.code) == (422, "PROVIDER_REJECTED")


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("401", 422, "INVALID_CREDENTIALS"),
        ("403", 422, "PROVIDER_FORBIDDEN"),
        ("429", 429, "RATE_LIMITED"),
        ("500", 502, "PROVIDER_ERROR"),
        ("garbage", 502, "UNEXPECTED_ANSWER"),
    ],
)
@pytest.mark.parametrize("route", ["calendars", "free-slots", "block-slots"])
def test_each_error_of_the_platform_has_its_code(
    hub: Hub, platform: Played, route: str, fault: str, status: int, code: str
) -> None:
    """HUB 8, HUB 10, HUB 11: a read is tried again where that may help; a POST that may have been done is not."""
    path = connected(hub)
    calls: dict[str, Callable[[], Reply]] = {
        "calendars": lambda: hub.call("GET", f"{path}/calendars"),
        "free-slots": lambda: slots(hub, path, date="2027-05-03"),
        "block-slots": lambda: block(hub, path, BLOCKED),
    }
    attempts = 4 if route != "block-slots" and fault in ("429", "500") else 1
    before = platform.calls
    platform.fail(fault, times=attempts)
    failed = calls[route]()

    unknown = route == "block-slots" and status == 502
    assert (failed.status, failed.code) == (status, "PROVIDER_OUTCOME_UNKNOWN" if unknown else code)
    assert platform.calls == before + attempts
    assert failed.headers.get("retry-after") == ("2" if fault == "429" else None)
    assert CREDENTIALS["apiKey"].encode() not in failed.body
    logged = hub.call("GET", f"{path}/logs?limit=1").json["logs"][0]
    assert logged["status"] == (200 if fault == "garbage" else int(fault))
    assert (logged["attempt"], logged["attempts"]) == (attempts, attempts)
    # HUB 49: a refusal of the credentials changes the connection's status; other errors do not.
    assert hub.call("GET", path).json["status"] == ("error" if fault == "401" else "active")
    # HUB 17: nobody asks before the platform's wait is over, but who tests the connection; a success ends the wait.
    if fault == "429":
        assert hub.call("GET", f"{path}/calendars").code == "RATE_LIMIT_EXCEEDED"
    assert hub.call("POST", f"{path}/test").json["code"] == "CONNECTED"
    assert hub.call("GET", f"{path}/calendars").status == 200


@pytest.mark.parametrize("fault", ["429", "500"])
def test_passing_fault_of_a_read_is_not_seen_by_the_caller(hub: Hub, platform: Played, fault: str) -> None:
    """HUB 10, HUB 11."""
    path = connected(hub)
    platform.fail(fault)
    read = hub.call("GET", f"{path}/calendars")

    assert read.status == 200
    logs = hub.call("GET", f"{path}/logs?limit=2").json["logs"]
    assert [(log["status"], log["attempt"], log["attempts"]) for log in logs] == [(200, 2, 2), (int(fault), 1, 2)]


def test_call_to_a_silent_platform_times_out_and_is_logged(hub: Hub, path: str, platform: Played) -> None:
    """HUB 9: our own time limit ends the call, before the gateway's."""
    platform.fail("silent")
    failed = hub.call("GET", f"{path}/calendars")

    assert (failed.status, failed.code) == (504, "TIMED_OUT")
    logged = hub.call("GET", f"{path}/logs?limit=1").json["logs"][0]
    assert (logged["status"], logged["error"]) == (None, "TimedOut")
    assert hub.call("GET", f"{path}/calendars").status == 200


def test_call_is_logged_without_the_secret_and_its_use_audited(hub: Hub) -> None:
    """HUB 16, HUB 44."""
    path = connected(hub)
    answered = hub.call("GET", f"{path}/calendars")
    logs = hub.call("GET", f"{path}/logs")
    newest = logs.json["logs"][0]

    assert (newest["method"], newest["status"], newest["error"]) == ("GET", 200, None)
    assert newest["url"].endswith(f"/calendars/?locationId={CREDENTIALS['locationId']}")
    assert newest["requestId"] == answered.headers["apigw-requestid"]
    assert "Demo calendar" in newest["responseBody"]
    assert CREDENTIALS["apiKey"].encode() not in logs.body
    assert (newest["actorKind"], newest["sourceIp"], newest["credentialVersion"]) == ("person", "127.0.0.1", 1)


def test_log_that_fails_does_not_fail_the_call(hub: Hub, path: str, superuser: psycopg.Connection) -> None:
    """HUB 16: the slot is blocked, so the caller must get the success response."""
    superuser.execute("REVOKE INSERT (attempt) ON integration_api_logs FROM causeway_hub")
    try:
        answered = block(hub, path, BLOCKED | {"title": "Unlogged"})
    finally:
        superuser.execute("GRANT INSERT (attempt) ON integration_api_logs TO causeway_hub")

    assert (answered.status, answered.json["title"]) == (201, "Unlogged")


@pytest.mark.parametrize("title", ["{apiKey}", "{locationId} {", '"}', "Zoë's ${apiKey} %(apiKey)s"])
def test_callers_text_is_sent_unchanged_without_filling_in_fields(hub: Hub, path: str, title: str) -> None:
    """HUB 1: a field's name in braces in a caller's text is not replaced by the secret."""
    answered = block(hub, path, BLOCKED | {"title": title})
    assert (answered.status, answered.json["title"]) == (201, title)

    logs = hub.call("GET", f"{path}/logs?limit=1")
    newest = logs.json["logs"][0]
    for sent in (newest["requestBody"], newest["responseBody"]):
        assert json.loads(sent)["title"] == title
    assert CREDENTIALS["apiKey"].encode() not in logs.body
