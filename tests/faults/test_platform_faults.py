"""What a call does about each fault of a platform, how often it calls, and that it ends: pytest's -s shows the table.

GET may be repeated; POST with a key may be repeated, as the platform knows the key; POST without a key is done twice if
it is sent twice. The waits between attempts are as short as chance allows; those that the platform asks for are real.
"""

import random
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from secrets import token_hex
from time import monotonic
from typing import Any

import pytest

from causeway import settings
from causeway.errors.platforms import RateLimited
from causeway.errors.tree import CausewayError
from causeway.outbound.attempts import Attempt
from causeway.outbound.retries import Repetition
from causeway.platforms import registry, token_calls
from causeway.platforms.call_terms import CallTerms
from causeway.platforms.kinds.errors import ErrorReader
from causeway.platforms.kinds.limits import LimitReader
from causeway.platforms.open_account import OpenAccount
from local.sandbox.registry import demo_credentials
from tests.platforms.accounts import demo_account
from tests.platforms.played import Played

MINE = demo_credentials("gohighlevel")
VERSION = {"Version": "2021-04-15"}
SLOT = {
    "calendarId": MINE["calendarId"],
    "locationId": MINE["locationId"],
    "startTime": "2031-03-17T10:00:00+04:00",
    "endTime": "2031-03-17T10:30:00+04:00",
}
# Seconds of a call: for one attempt that never ends, and for several with waits.
SHORT, LONG = 1.2, 6.0
# Seconds after its time in which a call must have ended on a busy machine.
GRACE = 5.0
# Kind of call: method, what a second request does.
KINDS: dict[str, tuple[str, Repetition | None]] = {
    "GET": ("GET", None),
    "POST with key": ("POST", "keyed"),
    "POST": ("POST", None),
}

Outcome = tuple[str, int]


@dataclass(frozen=True)
class Case:
    """A fault, and the outcome and the number of requests of each kind of call.

    Attributes:
        told: of the fault: the seconds that it asks to wait, or takes.
        times: how often the fault occurs.
        seconds: of the call.
    """

    name: str
    fault: str
    get: Outcome
    keyed: Outcome
    once: Outcome
    told: float = 2.0
    times: int = 1
    seconds: float = LONG

    def expected(self, kind: str) -> Outcome:
        return {"GET": self.get, "POST with key": self.keyed, "POST": self.once}[kind]


def same(name: str, fault: str, outcome: Outcome, **more: Any) -> Case:
    """A fault with the same outcome for every kind of call."""
    return Case(name, fault, outcome, outcome, outcome, **more)


def once_differs(name: str, fault: str, repeated: Outcome, once: Outcome, **more: Any) -> Case:
    """A fault after which a call without a key is not sent again."""
    return Case(name, fault, repeated, repeated, once, **more)


def no_answer(name: str, fault: str) -> Case:
    """A fault that uses up the time of a call. A GET does nothing; whether a POST was done is not known."""
    return Case(name, fault, ("TIMED_OUT", 1), UNKNOWN, UNKNOWN, told=40, seconds=SHORT)


GOOD = ("good", 1)
AGAIN = ("good", 2)
UNKNOWN = ("PROVIDER_OUTCOME_UNKNOWN", 1)
LIMITED = ("RATE_LIMITED", 1)
CASES = [
    same("refused credentials", "401", ("INVALID_CREDENTIALS", 1)),
    same("missing right", "403", ("PROVIDER_FORBIDDEN", 1)),
    once_differs("429, Retry-After 1 s", "429_seconds", AGAIN, LIMITED, told=1),
    once_differs("429, Retry-After a date in 1 s", "429_date", AGAIN, LIMITED, told=1),
    once_differs("429, x-ratelimit-reset in 1 s", "429_reset", AGAIN, LIMITED, told=1),
    once_differs("429, RateLimit t=1", "429_draft", AGAIN, LIMITED, told=1),
    once_differs("429 without a wait", "429_bare", AGAIN, LIMITED),
    once_differs("429 without a wait, again and again", "429_bare", ("RATE_LIMITED", 4), LIMITED, times=9),
    same("429, Retry-After 60 s", "429_seconds", LIMITED, told=60),
    same("429, Retry-After a date in 60 s", "429_date", LIMITED, told=60),
    same("429, x-ratelimit-reset in 60 s", "429_reset", LIMITED, told=60),
    same("429, RateLimit t=60", "429_draft", LIMITED, told=60),
    once_differs("500 once", "500", AGAIN, UNKNOWN),
    once_differs("500 three times", "500", ("good", 4), UNKNOWN, times=3),
    Case("500 for ever", "500", ("PROVIDER_ERROR", 4), ("PROVIDER_OUTCOME_UNKNOWN", 4), UNKNOWN, times=9),
    once_differs("503, Retry-After 1 s", "503", AGAIN, UNKNOWN, told=1),
    Case("503, Retry-After 60 s", "503", ("PROVIDER_ERROR", 1), UNKNOWN, UNKNOWN, told=60),
    same("HTML with status 200", "garbage", GOOD),
    once_differs("body cut off", "truncated", AGAIN, UNKNOWN),
    once_differs("chunked body cut off", "truncated_chunks", AGAIN, UNKNOWN),
    same("body longer than its length", "wrong_length", GOOD),
    same("first byte after 0.3 s", "slow", GOOD, told=0.3),
    same("body over 0.3 s", "slow_body", GOOD, told=0.3),
    no_answer("first byte after 40 s", "slow"),
    no_answer("body over 40 s", "slow_body"),
    no_answer("a byte each 0.1 s", "drip"),
    no_answer("silence", "silent"),
    same("closed after the answer", "closes", GOOD),
    once_differs("reset before the request is read", "reset_before", AGAIN, UNKNOWN),
    once_differs("reset after the work", "reset_after", AGAIN, UNKNOWN),
]
TIMES: dict[tuple[str, str], tuple[str, int, float]] = {}


@pytest.fixture(scope="module", autouse=True)
def table() -> Iterator[None]:
    """Print what was seen."""
    yield
    lines = [f"{'fault':40}" + "".join(f"| {kind:34}" for kind in KINDS)]
    for case in dict.fromkeys(name for name, _ in TIMES):
        cells = (TIMES.get((case, kind)) for kind in KINDS)
        texts = ("" if cell is None else f"{cell[0]:24} {cell[1]} x {cell[2]:4.1f} s" for cell in cells)
        lines.append(f"{case:40}" + "".join(f"| {text:34}" for text in texts))
    sys.stdout.write("\n" + "\n".join(lines) + "\n")


@pytest.fixture(autouse=True)
def no_jitter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chance chooses the shortest wait between attempts."""
    monkeypatch.setattr(random.SystemRandom, "random", lambda _: 0.0)


@pytest.fixture
def platform(sandbox_url: str) -> Iterator[Played]:
    """GoHighLevel, which has forgotten the requests of other tests."""
    played = Played(sandbox_url, "gohighlevel")
    played.recover()
    played.forget()
    yield played
    played.recover()


def opened(url: str, key: str, seconds: float, log: list[Attempt], *, own: bool = False) -> OpenAccount:
    """An account whose calls have these seconds; own: the platform's own headers of limits are read too."""
    limits = registry.find(key, LimitReader) if own else None
    terms = CallTerms(log.append, errors=registry.find(key, ErrorReader), limits=limits, seconds=seconds)
    return OpenAccount(demo_account(key, url), terms, lambda _: None)


def outcome_of(account: OpenAccount, kind: str) -> str:
    """Make a call of a kind and return `good`, or the code of its error."""
    method, repetition = KINDS[kind]
    try:
        if method == "GET":
            account.call("GET", f"/locations/{MINE['locationId']}", headers={"Version": "2021-07-28"})
        else:
            path = "/calendars/events/block-slots"
            headers = VERSION | ({"Idempotency-Key": token_hex(8)} if repetition == "keyed" else {})
            account.call("POST", path, headers=headers, content=SLOT, repetition=repetition)
    except CausewayError as error:
        return error.code
    return "good"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_call_meets_a_fault(sandbox_url: str, platform: Played, case: Case, kind: str) -> None:
    """HUB 9, 10, 11: each request is an attempt in the log, and the call ends within its time."""
    log: list[Attempt] = []
    account = opened(sandbox_url, "gohighlevel", case.seconds, log)
    platform.fail(case.fault, times=case.times, seconds=case.told)
    began = monotonic()
    outcome = outcome_of(account, kind)
    took = monotonic() - began
    received = platform.requests
    requests = len(received)
    TIMES[case.name, kind] = outcome, requests, took

    assert (outcome, requests) == case.expected(kind)
    assert [(attempt.number, attempt.attempts) for attempt in log] == [
        (number, requests) for number in range(1, requests + 1)
    ]
    # The key is a header of each attempt. The body of a reset request is not read.
    assert len({repr((each["path"], each["query"], each["headers"])) for each in received}) == 1
    assert len({each["body"] for each in received} - {""}) <= 1
    assert took < case.seconds + GRACE
    # The next call meets none of it.
    platform.recover()
    assert outcome_of(account, kind) == "good"


@pytest.mark.parametrize("fault", ["429_seconds", "429_date", "429_reset", "429_draft"])
def test_wait_that_is_longer_than_the_call_is_told_at_once(sandbox_url: str, platform: Played, fault: str) -> None:
    """HUB 10."""
    platform.fail(fault, seconds=60)
    account = opened(sandbox_url, "gohighlevel", LONG, [])
    with pytest.raises(RateLimited) as caught:
        account.call("GET", f"/locations/{MINE['locationId']}", headers={"Version": "2021-07-28"})

    # A reset has whole seconds.
    assert caught.value.status == 429
    assert 55 <= (caught.value.retry_after or 0) <= 62


@pytest.mark.parametrize("kind", KINDS)
def test_call_of_which_no_byte_was_sent_is_sent_again(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """HUB 11: nobody listens at the address, so not even a call without a key was done."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    monkeypatch.setenv("EGRESS_ALLOWED_HOSTS", f"127.0.0.1:{port}")
    settings.egress_allowed_hosts.cache_clear()
    log: list[Attempt] = []
    began = monotonic()
    outcome = outcome_of(opened(f"http://127.0.0.1:{port}", "gohighlevel", LONG, log), kind)
    settings.egress_allowed_hosts.cache_clear()
    TIMES["nobody listens (attempts)", kind] = outcome, len(log), monotonic() - began

    assert (outcome, [attempt.error for attempt in log]) == ("CONNECTION_FAILED", ["ConnectFailed"] * 4)


TOKEN, PLAYERS = "/oauth/token", "/players"
PLAYTECH = demo_credentials("playtech_pam")
LICENCE = {"X-License-Key": PLAYTECH["license_key"], "X-Region": PLAYTECH["region"]}


@pytest.mark.parametrize(
    ("name", "fault", "outcome", "tokens", "calls"),
    [
        ("token in use refused once", {"fault": "401", "path": PLAYERS}, "good", 2, 2),
        ("new token refused too", {"fault": "401", "path": PLAYERS, "times": 9}, "INVALID_CREDENTIALS", 2, 2),
        ("token: client refused", {"fault": "401", "path": TOKEN}, "INVALID_CREDENTIALS", 1, 0),
        ("token: 429, Retry-After 60 s", {"fault": "429_seconds", "path": TOKEN, "seconds": 60}, "RATE_LIMITED", 1, 0),
        ("token: 500 twice", {"fault": "500", "path": TOKEN, "times": 2}, "good", 3, 1),
        ("token: 500 for ever", {"fault": "500", "path": TOKEN, "times": 9}, "PROVIDER_ERROR", 4, 0),
        ("token: 429, Retry-After 1 s", {"fault": "429_seconds", "path": TOKEN, "seconds": 1}, "good", 2, 1),
        ("token: HTML with status 200", {"fault": "garbage", "path": TOKEN}, "good", 2, 1),
        ("token: connection reset", {"fault": "reset_after", "path": TOKEN}, "good", 2, 1),
        ("token: silence", {"fault": "silent", "path": TOKEN}, "TIMED_OUT", 1, 0),
    ],
)
def test_call_meets_a_fault_of_its_token(
    sandbox_url: str, name: str, fault: dict[str, Any], outcome: str, tokens: int, calls: int
) -> None:
    """HUB 9, 11: Playtech's client credentials. The call for a token is within the call's time."""
    playtech = Played(sandbox_url, "playtech_pam")
    playtech.recover()
    playtech.forget()
    playtech.fail(**fault)
    seconds = token_calls.LEAST + SHORT if outcome == "TIMED_OUT" else LONG
    began = monotonic()
    try:
        opened(sandbox_url, "playtech_pam", seconds, []).call("GET", PLAYERS, headers=LICENCE)
        seen = "good"
    except CausewayError as error:
        seen = error.code
    took = monotonic() - began
    playtech.recover()
    paths = [request["path"] for request in playtech.requests]
    TIMES[name, "GET"] = seen, len(paths), took

    assert (seen, paths.count(TOKEN), paths.count(PLAYERS)) == (outcome, tokens, calls)
    assert took < seconds + GRACE


@pytest.mark.parametrize(
    ("key", "fault", "kind", "outcome", "requests"),
    [
        ("stripe", "locked", "GET", "PROVIDER_REJECTED", 2),
        ("stripe", "locked", "POST with key", "PROVIDER_REJECTED", 2),
        ("stripe", "locked", "POST", "RATE_LIMITED", 1),
        ("stripe", "in_progress", "POST with key", "PROVIDER_REJECTED", 2),
        ("stripe", "in_progress", "POST", "PROVIDER_REJECTED", 1),
        ("stripe", "not_again", "GET", "PROVIDER_ERROR", 1),
        ("stripe", "not_again", "POST with key", "PROVIDER_OUTCOME_UNKNOWN", 1),
        ("twilio", "throttled", "POST", "PROVIDER_REJECTED", 2),
        ("gohighlevel", "throttled", "GET", "RATE_LIMITED", 1),
        ("facebook", "throttled_business", "GET", "RATE_LIMITED", 1),
        ("linkedin", "throttled", "GET", "RATE_LIMITED", 1),
        ("sendgrid", "throttled", "GET", "RATE_LIMITED", 1),
        ("tiktok", "throttled_day", "GET", "RATE_LIMITED", 1),
        ("mailchimp", "throttled_bare", "GET", "PROVIDER_REJECTED", 2),
    ],
)
def test_vendors_own_answer_is_obeyed(
    sandbox_url: str, key: str, fault: str, kind: str, outcome: str, requests: int
) -> None:
    """HUB 10, 11: no wait that is told fits into the call. The sandbox refuses the path if the call reaches it."""
    played = Played(sandbox_url, key)
    played.recover()
    played.forget()
    played.fail(fault, seconds=60)
    method, repetition = KINDS[kind]
    began = monotonic()
    with pytest.raises(CausewayError) as caught:
        opened(sandbox_url, key, LONG, [], own=True).call(method, "/lacking", repetition=repetition)
    took = monotonic() - began
    played.recover()
    TIMES[f"{key}: {fault}", kind] = caught.value.code, len(played.requests), took

    assert (caught.value.code, len(played.requests)) == (outcome, requests)
    assert took < LONG + GRACE
