"""The sandbox's faults and what it says that it received, seen from the wire."""

import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection
from time import monotonic, time
from typing import Any
from urllib.parse import urlsplit

import pytest

from local.sandbox.registry import demo_credentials, platforms
from tests.platforms.accounts import KEYS
from tests.platforms.facts import facts
from tests.platforms.played import Played

KEY = {"Authorization": f"Bearer {demo_credentials('sendgrid')['api_key']}"}
SCOPES = "/sendgrid/v3/scopes"
# Platform, fault, status, text of the body, headers with the beginning of their values: what the vendors document.
THROTTLED = [
    ("twilio", "throttled", 429, '"code": 20429', {"Twilio-Concurrent-Requests": "1", "Twilio-Request-Id": "RQ"}),
    ("whatsapp_business", "throttled", 400, '"code": 130429', {}),
    ("whatsapp_business", "throttled_pair", 400, '"code": 131056', {}),
    ("facebook", "throttled", 400, '"code": 4', {"X-App-Usage": '{"call_count": 100'}),
    ("facebook", "throttled_business", 400, '"code": 80001', {"X-Business-Use-Case-Usage": '{"1067280970047460": ['}),
    ("instagram", "throttled_business", 400, '"code": 80002', {"X-Business-Use-Case-Usage": "{"}),
    ("facebook_ads", "throttled", 400, '"code": 80004', {"X-Business-Use-Case-Usage": "{"}),
    ("facebook_ads", "throttled_account", 400, '"code": 17', {"X-Ad-Account-Usage": '{"acc_id_util_pct": 100'}),
    ("facebook_ads", "throttled_insights", 400, '"code": 4', {"x-fb-ads-insights-throttle": '{"app_id_util_pct": 100'}),
    ("linkedin", "throttled", 429, "Resource level throttle limit", {}),
    ("tiktok", "throttled", 429, "rate_limit_exceeded", {}),
    ("tiktok", "throttled_day", 403, "spam_risk_too_many_posts", {}),
    ("tiktok", "throttled_business", 200, '"code": 40100', {}),
    ("google_analytics", "throttled", 429, "RESOURCE_EXHAUSTED", {}),
    ("google_analytics", "throttled_day", 429, "per day", {}),
    ("google_analytics", "throttled_concurrent", 429, "concurrent requests", {}),
    ("google_analytics", "throttled_admin", 403, "rateLimitExceeded", {}),
    ("gohighlevel", "throttled", 429, "", {"X-RateLimit-Remaining": "0", "X-RateLimit-Interval-Milliseconds": "10000"}),
    ("gohighlevel", "throttled_day", 429, "", {"X-RateLimit-Daily-Remaining": "0", "X-RateLimit-Remaining": "1"}),
    ("mailchimp", "throttled", 429, '"type": ', {"Content-Type": "application/problem+json"}),
    ("mailchimp", "throttled_bare", 403, "<html>", {"Content-Type": "text/html"}),
    ("sendgrid", "throttled", 429, "too many requests", {"X-RateLimit-Remaining": "0"}),
    ("stripe", "throttled", 429, '"code": "rate_limit"', {"Stripe-Rate-Limited-Reason": "global-rate"}),
    ("stripe", "locked", 429, '"code": "lock_timeout"', {"Stripe-Should-Retry": "true"}),
    ("stripe", "in_progress", 409, '"code": "idempotency_key_in_use"', {"Stripe-Should-Retry": "true"}),
    ("stripe", "not_again", 500, '"type": "api_error"', {"Stripe-Should-Retry": "false"}),
    ("paypal", "throttled", 429, '"name": "RATE_LIMIT_REACHED"', {"PayPal-Debug-Id": "sandbox"}),
    ("fedex", "throttled", 429, "too many requests in a short duration", {}),
    ("fedex", "throttled_day", 429, "Retry after 12:00AM GMT", {}),
    ("fedex", "throttled_token", 403, "FORBIDDEN.ERROR", {}),
]

Seen = tuple[int, dict[str, str], bytes]


@pytest.fixture
def place(sandbox_url: str) -> Iterator[str]:
    """The sandbox's host and port, without a fault of another test before and after."""
    Played(sandbox_url, "sendgrid").recover()
    yield urlsplit(sandbox_url).netloc
    Played(sandbox_url, "sendgrid").recover()


def fetch(place: str, method: str, path: str, headers: dict[str, str] | None = None, body: bytes | None = None) -> Seen:
    """Return the response's status, its headers by lower-case names, and its body."""
    connection = HTTPConnection(place, timeout=10)
    try:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
    finally:
        connection.close()


def failing(place: str, key: str, fault: str, **more: Any) -> Played:
    """Let the platform fail and return its controls."""
    played = Played(f"http://{place}", key)
    played.fail(fault, **more)
    return played


def exchange(place: str, request: bytes) -> bytes:
    """Send bytes and return all that comes until the sandbox closes the connection."""
    host, _, port = place.partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(request)
        received = b""
        while piece := connection.recv(65536):
            received += piece
    return received


def asking(path: str, headers: dict[str, str], method: str = "GET", body: bytes = b"") -> bytes:
    """Return the bytes of a request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: sandbox", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


@pytest.mark.parametrize(("key", "fault", "status", "text", "headers"), THROTTLED)
def test_platform_refuses_in_its_vendors_words(
    place: str, key: str, fault: str, status: int, text: str, headers: dict[str, str]
) -> None:
    """HUB 10."""
    failing(place, key, fault)
    seen, told, body = fetch(place, "GET", f"/{key}/any")

    assert (seen, text in body.decode()) == (status, True)
    assert {name: told[name.lower()][: len(value)] for name, value in headers.items()} == headers


@pytest.mark.parametrize("key", KEYS)
def test_throttled_answer_has_no_retry_after(place: str, key: str) -> None:
    """HUB 10: no vendor promises the header."""
    failing(place, key, "throttled", seconds=7)

    assert "retry-after" not in fetch(place, "GET", f"/{key}/any")[1]


@pytest.mark.parametrize("key", KEYS)
def test_each_fault_of_a_platforms_file_is_a_response(key: str) -> None:
    platform = platforms()[key]

    for refuse in platform.faults.values():
        response = refuse(60)
        assert response.status >= 400 or facts()[key].refuses_with_200
        assert all(isinstance(value, str) for value in response.headers.values())
    assert all(isinstance(value, str) for value in platform.exhausted(60).values())


def test_429_tells_the_seconds_the_date_or_nothing(place: str) -> None:
    """HUB 10."""
    told = {}
    for fault in ("429", "429_seconds", "429_date", "429_bare"):
        failing(place, "sendgrid", fault, seconds=30)
        status, headers, body = fetch(place, "GET", SCOPES, KEY)
        assert (status, json.loads(body)["errors"][0]["message"]) == (429, "too many requests")
        told[fault] = headers.get("retry-after", "")

    left = (parsedate_to_datetime(told.pop("429_date")) - datetime.now(UTC)).total_seconds()
    assert 25 < left <= 31
    assert told == {"429": "30", "429_seconds": "30", "429_bare": ""}


def test_429_of_a_platform_that_answers_400_can_have_the_status_too(place: str) -> None:
    failing(place, "facebook", "429_seconds", seconds=3)
    status, headers, body = fetch(place, "GET", "/facebook/v1.0/me")

    assert (status, headers["retry-after"], json.loads(body)["error"]["code"]) == (429, "3", 4)


def test_generic_and_draft_headers_tell_the_reset(place: str) -> None:
    """HUB 10."""
    failing(place, "sendgrid", "429_reset", seconds=30)
    generic = fetch(place, "GET", SCOPES, KEY)[1]
    failing(place, "sendgrid", "429_draft", seconds=30)
    draft = fetch(place, "GET", SCOPES, KEY)[1]

    assert generic["x-ratelimit-remaining"] == "0"
    assert 25 < int(generic["x-ratelimit-reset"]) - time() <= 31
    assert (draft["ratelimit"], draft["ratelimit-policy"]) == ('"default";r=0;t=30', '"default";q=100;w=60')


def test_meta_tells_minutes_and_seconds(place: str) -> None:
    """HUB 10: one header counts minutes, the other seconds."""
    failing(place, "facebook_ads", "throttled", seconds=90)
    business = json.loads(fetch(place, "GET", "/facebook_ads/x")[1]["x-business-use-case-usage"])
    failing(place, "facebook_ads", "throttled_account", seconds=90)
    account = json.loads(fetch(place, "GET", "/facebook_ads/x")[1]["x-ad-account-usage"])

    assert business["1234567890"][0]["estimated_time_to_regain_access"] == 2
    assert account["reset_time_duration"] == 90


def test_good_answer_can_say_that_no_request_is_left(place: str) -> None:
    """HUB 17."""
    failing(place, "sendgrid", "exhausted", seconds=30)
    status, headers, _ = fetch(place, "GET", SCOPES, KEY)

    assert (status, headers["x-ratelimit-remaining"]) == (200, "0")
    assert 25 < int(headers["x-ratelimit-reset"]) - time() <= 31


def test_error_goes_away_after_the_times_asked_for(place: str) -> None:
    failing(place, "sendgrid", "500", times=3)

    assert [fetch(place, "GET", SCOPES, KEY)[0] for _ in range(5)] == [500, 500, 500, 200, 200]


def test_unavailable_platform_says_when_to_come_again(place: str) -> None:
    failing(place, "sendgrid", "503", seconds=4)
    status, headers, _ = fetch(place, "GET", SCOPES, KEY)

    assert (status, headers["retry-after"]) == (503, "4")


def test_fault_of_a_path_leaves_other_paths_alone(place: str) -> None:
    """A token's call works while the call with the token fails."""
    client = demo_credentials("fedex")
    form = f"client_id={client['client_id']}&client_secret={client['client_secret']}".encode()
    failing(place, "fedex", "throttled", path="/track")

    assert fetch(place, "POST", "/fedex/oauth/token", body=form)[0] == 200
    assert fetch(place, "POST", "/fedex/track/v1")[0] == 429
    assert fetch(place, "POST", "/fedex/track/v1")[0] == 404


def test_credential_can_ask_for_a_fault_of_the_platform(place: str) -> None:
    status, headers, _ = fetch(place, "GET", "/stripe/x", {"Authorization": "Bearer sk_test_sandbox-fault-locked"})

    assert (status, headers["stripe-should-retry"]) == (429, "true")


def test_unknown_fault_of_a_credential_names_the_faults_of_the_platform(place: str) -> None:
    body = fetch(place, "GET", "/stripe/x", {"Authorization": "Bearer sandbox-fault-throttled_pair"})[2]

    assert {"locked", "throttled", "truncated"} <= set(json.loads(body)["faults"])
    assert json.loads(body)["faults"] == Played(f"http://{place}", "stripe").faults


@pytest.mark.parametrize("wanted", [{"seconds": -1}, {"seconds": "NaN"}, {"fault": "throttled_pair"}, {"times": "x"}])
def test_wrong_fault_is_refused(place: str, wanted: dict[str, Any]) -> None:
    body = json.dumps({"provider": "stripe", "fault": "throttled", **wanted}).encode()

    assert fetch(place, "POST", "/_sandbox/faults", body=body)[0] == 400


# The delivery.


@pytest.mark.parametrize("fault", ["truncated", "truncated_chunks"])
def test_body_ends_early(place: str, fault: str) -> None:
    failing(place, "sendgrid", fault)
    head, _, body = exchange(place, asking(SCOPES, KEY)).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    if fault == "truncated":
        assert b"\r\nContent-Length: 25" in head
        assert body == b'{"scopes": ['
    else:
        assert b"\r\nTransfer-Encoding: chunked" in head
        assert body == b'c\r\n{"scopes": [\r\n'


def test_body_is_longer_than_its_length_says(place: str) -> None:
    failing(place, "sendgrid", "wrong_length")
    head, _, body = exchange(place, asking(SCOPES, KEY)).partition(b"\r\n\r\n")

    assert b"\r\nContent-Length: 12" in head
    assert json.loads(body) == {"scopes": ["mail.send"]}


def test_connection_closes_after_a_whole_response_that_does_not_announce_it(place: str) -> None:
    failing(place, "sendgrid", "closes")
    head, _, body = exchange(place, asking(SCOPES, KEY)).partition(b"\r\n\r\n")

    assert b"onnection" not in head
    assert json.loads(body) == {"scopes": ["mail.send"]}


def test_slow_body_comes_after_its_headers(place: str) -> None:
    failing(place, "sendgrid", "slow_body", seconds=0.6)
    connection = HTTPConnection(place, timeout=10)
    connection.request("GET", SCOPES, headers=KEY)
    response = connection.getresponse()
    began = monotonic()
    body = response.read()
    connection.close()

    assert json.loads(body) == {"scopes": ["mail.send"]}
    assert monotonic() - began > 0.4


BLOCK = {
    "calendarId": demo_credentials("gohighlevel")["calendarId"],
    "locationId": demo_credentials("gohighlevel")["locationId"],
    "startTime": "2031-03-17T10:00:00+04:00",
    "endTime": "2031-03-17T10:30:00+04:00",
}


@pytest.mark.parametrize(("fault", "blocked"), [("reset_before", 0), ("reset_after", 1), ("throttled", 0)])
def test_reset_comes_before_or_after_the_work(place: str, fault: str, blocked: int) -> None:
    """HUB 11: a client sees the same of both resets; only the platform knows what was done."""
    headers = {"Authorization": f"Bearer {demo_credentials('gohighlevel')['apiKey']}", "Version": "2021-04-15"}
    path = "/gohighlevel/calendars/events/block-slots"

    def block() -> int:
        """Block a slot and return how many were blocked before it."""
        answer = fetch(place, "POST", path, headers, json.dumps(BLOCK).encode())[2]
        return int(json.loads(answer)["id"].removeprefix("sandboxBlockedSlot")) - 1

    before = block()
    failing(place, "gohighlevel", fault)
    request = asking(path, headers, "POST", json.dumps(BLOCK).encode())
    if fault == "throttled":
        assert fetch(place, "POST", path, headers, json.dumps(BLOCK).encode())[0] == 429
    else:
        with pytest.raises(ConnectionResetError):
            exchange(place, request)

    assert block() - before - 1 == blocked


# What was received.


def test_sandbox_says_what_it_received(place: str) -> None:
    played = Played(f"http://{place}", "sendgrid")
    played.forget()
    fetch(place, "POST", "/sendgrid/v3/a%2Fb?x=1&x=%202", KEY, b'{"a": 1}')
    fetch(place, "GET", "/stripe/v1/balance")
    fetch(place, "PUT", "/sendgrid/v3/file", body=b"\xff\x00")
    failing(place, "sendgrid", "500")
    fetch(place, "GET", SCOPES, KEY)
    first, second, third = played.requests

    assert (first["provider"], first["method"], first["path"], first["query"], first["fault"]) == (
        "sendgrid",
        "POST",
        "/v3/a%2Fb",
        "x=1&x=%202",
        None,
    )
    assert ["Authorization", KEY["Authorization"]] in first["headers"]
    assert (first["body"], first["bytes"]) == ('{"a": 1}', 8)
    assert abs((datetime.now(UTC) - datetime.fromisoformat(first["time"])).total_seconds()) < 60
    assert (second["body_base64"], second["bytes"], "body" in second) == ("/wA=", 2, False)
    assert (third["path"], third["fault"]) == ("/v3/scopes", "500")


def test_received_requests_of_all_platforms_and_of_none(place: str) -> None:
    Played(f"http://{place}", "stripe").forget()
    fetch(place, "GET", "/stripe/v1/balance")
    fetch(place, "GET", SCOPES)
    all_of_them = json.loads(fetch(place, "GET", "/_sandbox/requests")[2])["requests"]

    assert [request["provider"] for request in all_of_them] == ["stripe", "sendgrid"]
    assert Played(f"http://{place}", "paypal").requests == []


def test_reset_request_is_kept_without_its_body(place: str) -> None:
    played = failing(place, "sendgrid", "reset_before")
    played.forget()
    with pytest.raises(ConnectionResetError):
        exchange(place, asking(SCOPES, KEY, "POST", b"{}"))
    [kept] = played.requests

    assert (kept["method"], kept["bytes"], kept["fault"]) == ("POST", 0, "reset_before")


def test_number_and_size_of_kept_requests_are_bounded(place: str) -> None:
    played = Played(f"http://{place}", "sendgrid")
    played.forget()
    connection = HTTPConnection(place, timeout=10)
    for number in range(1002):
        connection.request("POST", f"/sendgrid/{number}", b"x" * (65537 if number == 1001 else 1))
        connection.getresponse().read()
    connection.close()
    kept = played.requests

    assert (len(kept), kept[0]["path"], kept[-1]["path"]) == (1000, "/2", "/1001")
    assert (len(kept[-1]["body"]), kept[-1]["bytes"]) == (65536, 65537)


def test_unknown_provider_is_answered_with_those_that_there_are(place: str) -> None:
    status, _, body = fetch(
        place, "POST", "/_sandbox/faults", body=json.dumps({"provider": "fedx", "fault": "500"}).encode()
    )

    assert (status, json.loads(body)) == (400, {"error": "no such provider", "providers": sorted(platforms())})
