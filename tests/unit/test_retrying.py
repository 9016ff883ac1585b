"""A call is tried again within one budget (HUB 9, 10, 11), and its attempts are logged together (HUB 16)."""

import gzip
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import chain, repeat
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

import pytest

from causeway.errors.platforms import CircuitOpen, RateLimited
from causeway.errors.requests import RateLimitExceeded
from causeway.errors.service import Unavailable
from causeway.errors.tree import CausewayError
from causeway.outbound import failures, retries
from causeway.outbound.deadlines import Deadline
from causeway.outbound.retries import Repetition
from causeway.platforms import retrying
from causeway.platforms.account import Account, Log
from causeway.platforms.call_terms import CallTerms
from causeway.platforms.kinds.errors import Meaning
from causeway.platforms.kinds.limits import SILENT, Signal
from causeway.platforms.retrying import Answered, PlatformRequest, Raw
from causeway.platforms.tokens import TokenRefused
from tests.unit.platforms import platform
from tests.unit.wire_server import Act, WireServer

if TYPE_CHECKING:
    from causeway.outbound.attempts import Attempt


def said(status: int, *headers: str, body: bytes = b"{}") -> bytes:
    lines = (f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", "Content-Type: application/json", *headers, "", "")
    return "\r\n".join(lines).encode() + body


def in_turn(*answers: bytes | None) -> Act:
    """Answer each connection in turn, the last one again and again; None: close it without an answer."""
    following: Iterator[bytes | None] = chain(answers, repeat(answers[-1]))

    def act(connection: socket.socket, _: WireServer) -> None:
        answer = next(following)
        if answer is not None:
            connection.sendall(answer)

    return act


class Calls:
    """A call to a server that answers in turn."""

    def __init__(self, server: WireServer) -> None:
        self.server = server
        self.attempts: list[Attempt] = []
        account = Account(platform(server.url, {"type": "none"}), "production", {}, {})
        self.account, self.terms = account, CallTerms(self.attempts.append)

    def make(self, method: str = "GET", repetition: Repetition | None = None, **terms: Any) -> Answered:
        request = PlatformRequest(method, "/a", repetition=repetition)
        return retrying.call(self.account, request, replace(self.terms, **terms))

    @property
    def received(self) -> int:
        return len(self.server.requests)


@pytest.fixture
def calls(serve: Callable[[Act], WireServer]) -> Callable[..., Calls]:
    return lambda *answers: Calls(serve(in_turn(*answers)))


class Telling:
    """A platform's reader of limits that tells the same of every answer of some statuses."""

    def __init__(self, signal: Signal, *statuses: int) -> None:
        self._signal, self._statuses = signal, statuses

    def read_limits(self, status: int, headers: Mapping[str, str], content: Any) -> Signal:  # noqa: ARG002
        return self._signal if status in self._statuses else SILENT


class Reading:
    """A platform's reader of limits that keeps what it is given."""

    def __init__(self) -> None:
        self.contents: list[Any] = []

    def read_limits(self, status: int, headers: Mapping[str, str], content: Any) -> Signal:  # noqa: ARG002
        self.contents.append(content)
        return SILENT


def test_compressed_answer_is_passed_on_and_read_decompressed(serve: Callable[[Act], WireServer]) -> None:
    """HUB 10, 12."""
    compressed, reading = gzip.compress(b'{"code":4}'), Reading()
    made = Calls(serve(in_turn(said(400, "Content-Encoding: gzip", body=compressed))))
    request = PlatformRequest("GET", "/a", raw=Raw("gzip", 1000))
    answered = retrying.call(made.account, request, replace(made.terms, limits=reading))

    assert answered.reply.body == compressed
    assert reading.contents == [{"code": 4}]


@pytest.mark.parametrize("first", [said(500), said(503), said(429), None, b"nonsense\r\n\r\n"])
def test_repeatable_and_keyed_calls_are_tried_again(calls: Callable[..., Calls], first: bytes | None) -> None:
    """HUB 11; each attempt is a record, numbered."""
    for method, repetition in (("GET", None), ("POST", "keyed"), ("POST", "repeatable")):
        made = calls(first, said(200))
        answered = made.make(method, repetition)

        assert (answered.reply.status, answered.attempts, made.received) == (200, 2, 2)
        assert [(one.number, one.attempts) for one in made.attempts] == [(1, 2), (2, 2)]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_call_that_acts_twice_is_made_once(calls: Callable[..., Calls], status: int) -> None:
    """HUB 11."""
    made = calls(said(status), said(200))

    assert made.make("POST").reply.status == status
    assert made.received == 1


def test_call_that_acts_twice_is_tried_again_where_the_platform_did_nothing(calls: Callable[..., Calls]) -> None:
    """HUB 11: the platform documents that a throttled call was not processed; or nobody got a byte."""
    made = calls(said(429), said(200))
    answered = made.make("POST", limits=Telling(Signal(unprocessed=True), 429))
    assert (answered.reply.status, made.received) == (200, 2)


@pytest.mark.parametrize("status", [200, 204, 301, 400, 401, 403, 404, 409, 422])
def test_other_answers_stand(calls: Callable[..., Calls], status: int) -> None:
    made = calls(said(status, body=b""))

    assert made.make().reply.status == status
    assert made.received == 1


def test_there_are_at_most_four_attempts(calls: Callable[..., Calls]) -> None:
    made = calls(said(500))

    assert (made.make().attempts, made.received) == (4, 4)
    assert [attempt.number for attempt in made.attempts] == [1, 2, 3, 4]


def test_wait_that_the_platform_asks_is_kept(calls: Callable[..., Calls]) -> None:
    """HUB 10."""
    made = calls(said(429, "Retry-After: 1"), said(200))
    started = monotonic()

    assert made.make().reply.status == 200
    assert monotonic() - started >= 1


def test_asked_wait_is_followed_by_a_little_more() -> None:
    """HUB 10: the platform's clock may be behind ours, and callers must not come back at once."""
    waits = {retries.wait(1, 7.0) for _ in range(200)}

    assert 7.1 <= min(waits) < max(waits) <= 7.5


def test_wait_beyond_the_budget_is_answered_at_once_and_told(calls: Callable[..., Calls]) -> None:
    """HUB 10: the caller learns how long to wait."""
    made = calls(said(429, "Retry-After: 30"))
    answered = made.make(seconds=20)

    assert (answered.attempts, made.received) == (1, 1)
    assert (answered.verdict.code, answered.verdict.retry_after) == ("RATE_LIMITED", 30)


def test_platforms_own_signs_count(calls: Callable[..., Calls]) -> None:
    """HUB 10: a 400 that means "throttled", and a header that forbids another attempt."""
    made = calls(said(400), said(200))
    throttled = Telling(Signal(throttled=True, wait=0.1), 400)
    assert (made.make(limits=throttled).reply.status, made.received) == (200, 2)

    made = calls(said(500))
    assert made.make(limits=Telling(Signal(retry=False), 500)).reply.status == 500
    assert made.received == 1


def test_budget_holds_for_all_attempts_and_waits(serve: Callable[..., WireServer]) -> None:
    """HUB 9: a platform that answers too late ends as TimedOut; a deadline of the whole work holds, too."""

    def silent_at_second(connection: socket.socket, server: WireServer) -> None:
        if len(server.requests) == 1:
            connection.sendall(said(500))
        else:
            server.over.wait(10)

    for name, limit in (("seconds", float), ("deadline", Deadline)):
        made = Calls(serve(silent_at_second))
        started = monotonic()
        terms: dict[str, Any] = {name: limit(3.0)}
        with pytest.raises(failures.TimedOut):
            made.make(**terms)

        assert monotonic() - started < 8
        assert [(one.status, one.error) for one in made.attempts] == [(500, None), (None, "TimedOut")]


@pytest.mark.parametrize("status", [200, 202, 301, 400, 404, 413])
def test_retry_after_is_no_limit_of_the_connection_unless_the_answer_says_so(
    calls: Callable[..., Calls], status: int
) -> None:
    """HUB 10: a 202 asks to look at one job later, and a 404 says nothing of other calls."""
    gate = _Gate(9)
    calls(said(status, "Retry-After: 3600")).make("POST", gate=gate)

    assert [signal.asked for signal in gate.learned] == [None]


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (429, b"{}", (3600.0, None)),
        (503, b"{}", (None, 3600.0)),
        (500, b"{}", (None, 3600.0)),
        (400, b'{"throttled":1}', (3600.0, None)),
        (503, b'{"throttled":1}', (3600.0, None)),
    ],
)
def test_unavailable_platform_asks_this_call_to_wait_and_a_limit_asks_all(
    calls: Callable[..., Calls], status: int, body: bytes, expected: tuple[float | None, float | None]
) -> None:
    """HUB 10: either way the caller learns how long to wait."""
    gate = _Gate(9)
    answered = calls(said(status, "Retry-After: 3600", body=body)).make(gate=gate, errors=_Throttled())

    assert [(signal.wait, signal.pause) for signal in gate.learned] == [expected]
    assert answered.verdict.retry_after == 3600


class _Throttled:
    """A platform's reader of errors that finds a limit where the body says so."""

    def read_error(self, status: int, content: dict[str, Any]) -> Meaning | None:  # noqa: ARG002
        return RateLimited if "throttled" in content else None


class _Gate:
    """Lets some attempts pass."""

    def __init__(self, passing: int, refusal: CausewayError | None = None) -> None:
        self.passing, self.refusal = passing, refusal or RateLimitExceeded(retry_after=9)
        self.learned: list[Signal] = []

    def admit(self) -> None:
        if self.passing == 0:
            raise self.refusal
        self.passing -= 1

    def learn(self, signal: Signal) -> None:
        self.learned.append(signal)


def test_call_without_time_left_is_not_sent(calls: Callable[..., Calls]) -> None:
    """HUB 9: of a deadline that several calls share, the last may find nothing left; it takes nothing of a limit."""
    made, gate = calls(said(200)), _Gate(9)
    with pytest.raises(failures.OutOfTime) as failed:
        made.make("POST", gate=gate, deadline=Deadline(0.5))

    assert (made.received, failed.value.sent, gate.passing) == (0, False, 9)
    assert [(attempt.status, attempt.error) for attempt in made.attempts] == [(None, "OutOfTime")]


@pytest.mark.parametrize(("slow", "received"), [("current", 0), ("renewed", 1)])
def test_call_is_not_sent_when_its_token_took_all_the_time(
    serve: Callable[[Act], WireServer], slow: str, received: int
) -> None:
    """HUB 9, 49: a refused token that could have been replaced is no refusal of the credentials."""
    server = serve(in_turn(said(401), said(200)))
    wanted = {
        "type": "oauth2_client_credentials",
        "token_path": "/token",
        "client_id": "{key}",
        "client_secret": "{key}",
    }
    account = Account(platform(server.url, wanted), "production", {}, {"key": "s3cret"})
    terms = CallTerms([].append, tokens=_SlowTokens(slow), seconds=2.0)

    def make() -> int | None:
        try:
            return retrying.call(account, PlatformRequest("POST", "/a"), terms).reply.status
        except failures.OutOfTime:
            return None

    assert (make(), len(server.requests)) == (None, received)


def test_gate_is_asked_before_each_attempt(calls: Callable[..., Calls]) -> None:
    """HUB 17: retries count in the budget; a refused retry leaves the outcome that there is."""
    made = calls(said(500, "Retry-After: 1"))
    with pytest.raises(RateLimitExceeded):
        made.make(gate=_Gate(0))
    assert (made.received, made.attempts) == (0, [])

    for refusal in (RateLimitExceeded(), CircuitOpen(), Unavailable()):
        made = calls(said(500))
        answered = made.make(gate=_Gate(1, refusal))
        assert (answered.reply.status, answered.attempts, made.received) == (500, 1, 1)


def test_doubt_of_an_attempt_stays_although_the_next_was_not_sent(serve: Callable[..., WireServer]) -> None:
    """HUB 11: a keyed call that broke may be done, even if nobody listens any more at the second attempt."""

    def close_the_door(connection: socket.socket, server: WireServer) -> None:
        server.close_listener()

    made = Calls(serve(close_the_door))
    with pytest.raises(failures.ConnectFailed) as failed:
        made.make("POST", "keyed")

    assert failed.value.sent
    assert [attempt.error for attempt in made.attempts] == ["ConnectFailed"] * 4


@pytest.mark.parametrize(("first", "in_doubt"), [(said(500), True), (None, True), (said(429), False)])
def test_answer_says_whether_an_earlier_attempt_may_be_done(
    calls: Callable[..., Calls], first: bytes | None, in_doubt: bool
) -> None:
    """HUB 11: a limit that is reached at the second attempt says nothing about the first."""
    made = calls(first, said(429, "Retry-After: 60"))
    answered = made.make("POST", "keyed")

    assert (answered.verdict.code, answered.attempts, answered.in_doubt) == ("RATE_LIMITED", 2, in_doubt)


class _Tokens:
    """Gives a new token after each refusal."""

    def __init__(self) -> None:
        self.got = 0

    def current(self, account: Account, log: Log, deadline: Deadline | None = None) -> str:  # noqa: ARG002
        return f"token-{self.got}"

    def renewed(self, account: Account, log: Log, refused: str, deadline: Deadline | None = None) -> str:
        assert refused == f"token-{self.got}"
        self.got += 1
        return self.current(account, log, deadline)


class _SlowTokens(_Tokens):
    """Leaves half a second of the caller's time when it gives a token in one of the ways."""

    def __init__(self, slow: str) -> None:
        super().__init__()
        self._slow = slow

    def current(self, account: Account, log: Log, deadline: Deadline | None = None) -> str:
        self._wait("current", deadline)
        return super().current(account, log, deadline)

    def renewed(self, account: Account, log: Log, refused: str, deadline: Deadline | None = None) -> str:
        self._wait("renewed", deadline)
        return super().renewed(account, log, refused, deadline)

    def _wait(self, way: str, deadline: Deadline | None) -> None:
        if way == self._slow and deadline is not None:
            sleep(max(deadline.left() - 0.5, 0))


def test_calls_for_a_token_are_told_apart(serve: Callable[[Act], WireServer]) -> None:
    attempts: list[Attempt] = []
    server = serve(in_turn(said(200, body=b'{"access_token":"t0ken"}'), said(200)))
    wanted = {
        "type": "oauth2_client_credentials",
        "token_path": "/token",
        "client_id": "{key}",
        "client_secret": "{key}",
    }
    account = Account(platform(server.url, wanted), "production", {}, {"key": "s3cret"})
    retrying.call(account, PlatformRequest("GET", "/a"), CallTerms(attempts.append))

    assert [(one.method, one.for_token) for one in attempts] == [("POST", True), ("GET", False)]


class _NoOtherToken(_Tokens):
    """Gives one token, and no other after its refusal."""

    def __init__(self, failure: Callable[[], failures.CallFailed]) -> None:
        super().__init__()
        self.failure = failure

    def renewed(self, account: Account, log: Log, refused: str, deadline: Deadline | None = None) -> str:  # noqa: ARG002
        assert refused == "token-0"
        self.got += 1
        raise self.failure()


def _with_tokens(server: WireServer) -> Account:
    credentials = {"client_id": "{key}", "client_secret": "{key}", "client_auth": "basic"}
    wanted = {"type": "oauth2_client_credentials", "token_path": "/token", **credentials}
    return Account(platform(server.url, wanted), "production", {}, {"key": "s3cret"})


def test_refusal_stands_where_no_other_token_can_be_got(serve: Callable[..., WireServer]) -> None:
    tokens, server = _NoOtherToken(lambda: TokenRefused(401, "client")), serve(in_turn(said(401)))
    terms = CallTerms(lambda _: None, tokens=tokens)
    answered = retrying.call(_with_tokens(server), PlatformRequest("GET", "/a"), terms)

    assert (answered.reply.status, len(server.requests), tokens.got) == (401, 1, 1)


@pytest.mark.parametrize(
    ("failure", "kind", "asked"),
    [
        (lambda: TokenRefused(503), TokenRefused, 3),
        (lambda: failures.ConnectFailed("refused"), failures.ConnectFailed, 3),
        (lambda: failures.OutOfTime("another caller gets it"), failures.OutOfTime, 1),
        (lambda: TokenRefused(401, "ended"), TokenRefused, 1),
    ],
)
def test_failure_of_the_token_endpoint_is_told_as_it_is(
    serve: Callable[..., WireServer],
    failure: Callable[[], failures.CallFailed],
    kind: type[failures.CallFailed],
    asked: int,
) -> None:
    """HUB 49: a passing fault of the endpoint is no refusal of the credentials; the refused token is not sent again."""
    tokens, server = _NoOtherToken(failure), serve(in_turn(said(401)))
    with pytest.raises(kind):
        retrying.call(_with_tokens(server), PlatformRequest("GET", "/a"), CallTerms(lambda _: None, tokens=tokens))

    assert (len(server.requests), tokens.got) == (1, asked)


def test_attempt_with_another_token_counts_and_there_is_one(serve: Callable[..., WireServer]) -> None:
    """HUB 11, 58: a call has four attempts, however they end, and gets another token once."""
    for answers, expected, got in (
        ((said(401), said(200)), (200, 2), 1),
        ((said(401), said(401), said(200)), (401, 2), 1),
        ((said(401), said(503), said(401), said(503)), (401, 3), 1),
        ((said(503), said(503), said(503), said(401)), (401, 4), 0),
    ):
        tokens, attempts = _Tokens(), []
        server = serve(in_turn(*answers))
        answered = retrying.call(
            _with_tokens(server), PlatformRequest("GET", "/a"), CallTerms(attempts.append, tokens=tokens)
        )

        assert (answered.reply.status, answered.attempts, tokens.got) == (*expected, got)
        assert len(server.requests) == len(attempts) == expected[1]


@pytest.mark.parametrize("base_url", ["https://169.254.169.254", "https://10.0.0.1", "http://platform.example"])
def test_call_to_forbidden_address_takes_nothing_from_a_limit(base_url: str) -> None:
    """The gate counts each attempt: it is not asked for a call that cannot be sent. The log has the call."""
    attempts: list[Attempt] = []
    account = Account(platform(base_url, {"type": "none"}), "production", {}, {})

    with pytest.raises((failures.AddressBlocked, failures.AddressInvalid)):
        retrying.call(account, PlatformRequest("GET", "/a"), CallTerms(attempts.append, _Gate(0)))
    assert [one.url for one in attempts] == ["/a"]
