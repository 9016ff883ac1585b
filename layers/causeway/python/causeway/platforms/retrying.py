"""A call with an account: authenticated, tried again where that is safe, all within one budget of seconds."""

import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from time import sleep
from typing import Any
from urllib.parse import urlencode

from causeway.errors.platforms import CircuitOpen, ProviderError, RateLimited
from causeway.errors.requests import RateLimitExceeded
from causeway.errors.service import Unavailable
from causeway.outbound import client, decompression, retries
from causeway.outbound.attempts import Attempt
from causeway.outbound.deadlines import Deadline
from causeway.outbound.failures import CallFailed, OutOfTime
from causeway.outbound.replies import Reply
from causeway.outbound.retries import Ending, Repetition
from causeway.platforms import signals
from causeway.platforms.account import Account, Log
from causeway.platforms.authentication import AuthenticationFields, authenticate
from causeway.platforms.call_terms import CallTerms
from causeway.platforms.kinds.limits import SILENT, Signal
from causeway.platforms.tokens import TokenRefused
from causeway.platforms.verdicts import Verdict, judge, stated_error

# An attempt is made only if so many seconds are left for it.
_LEAST_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Raw:
    """How an answer's body is read: as it arrives, or decompressed.

    Attributes:
        encodings: the Accept-Encoding to send; None: the body is decompressed.
        most_bytes: the limit for the answer's body.
    """

    encodings: str | None
    most_bytes: int


_DECODED = Raw(None, client.MOST_BYTES)


# Without a repr: headers and body may hold secrets.
@dataclass(frozen=True, slots=True, repr=False)
class PlatformRequest:
    """A request below an account's base URL, before it is authenticated.

    Attributes:
        path: encoded as it is to be sent.
        query: parameters, not encoded; or the query string as it is to be sent.
        repetition: what a second request does; None: what the method says.
        most_attempts: of the call.
        raw: how a body is passed through; None: it is decompressed and may have client.MOST_BYTES.
    """

    method: str
    path: str
    query: Mapping[str, str] | str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""
    repetition: Repetition | None = None
    most_attempts: int = retries.MOST_ATTEMPTS
    raw: Raw | None = None

    def of_body(self, body: Mapping[str, Any] | None) -> "PlatformRequest":
        """Return the request with a body, {"type": "json" or "form", "content": ...}, and its Content-Type."""
        if body is None:
            return self
        form = body["type"] == "form"
        content_type = "application/x-www-form-urlencoded" if form else "application/json"
        text = urlencode(body["content"]) if form else json.dumps(body["content"])
        return replace(self, content=text.encode(), headers={"Content-Type": content_type, **self.headers})


@dataclass(frozen=True, slots=True)
class Answered:
    """A call that was answered.

    Attributes:
        reply: the last attempt's.
        verdict: on it.
        attempts: how many were made.
        secrets: values that the call was made with.
        in_doubt: an earlier attempt may have done what the call asks for.
    """

    reply: Reply
    verdict: Verdict
    attempts: int
    secrets: tuple[str, ...]
    in_doubt: bool = False


def call(account: Account, request: PlatformRequest, terms: CallTerms) -> Answered:
    """Make a call with an account's credentials and return the answer, whatever its status.

    A call is tried again as causeway.outbound.retries says. It waits as long as the platform asks; if that would exceed
    the time left, it is answered with what there is.

    Raises:
        CallFailed: no usable answer.
        OutOfTime: no time is left; the call was not made.
        TokenRefused: the platform gave no access token; the call was not made.
        RateLimitExceeded, CircuitOpen, Unavailable: the gate let no attempt pass; the call was not made.
    """
    with _records(terms.log, request) as records:
        # Before the gate: a call that cannot be sent takes nothing from a limit.
        url, deadline = account.url(request.path), terms.start()
        _check_time(deadline)
        terms.gate.admit()
        attempts = _Attempts(account, request, url, terms, records, deadline)
        outcome, in_doubt = attempts.make(), False
        while (wait := attempts.wait_after(outcome)) is not None and _admitted(terms, wait):
            in_doubt = in_doubt or _may_be_done(outcome)
            outcome = _of_both(outcome, attempts.make())
        if isinstance(outcome, CallFailed):
            outcome.sent = outcome.sent or in_doubt
            raise outcome
        return replace(outcome.answered, attempts=len(records.own), in_doubt=in_doubt)


@dataclass(frozen=True, slots=True)
class _Judged:
    """An answer, and what it tells."""

    answered: Answered
    signal: Signal


class _Records:
    """The records of a call: its own attempts are numbered when it ends; calls for a token are calls of their own."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self.own: list[Attempt] = []
        self.logged = False

    def of_token(self, attempt: Attempt) -> None:
        """Take the record of a call for a token."""
        self.logged = True
        self._log(replace(attempt, for_token=True))

    def close(self) -> None:
        """Log the call's own attempts, in their order."""
        for number, attempt in enumerate(self.own, 1):
            self._log(replace(attempt, number=number, attempts=len(self.own)))


@contextmanager
def _records(log: Log, request: PlatformRequest) -> Generator[_Records]:
    """Yield the records of a call, and log them when it ends.

    A call that failed before its first attempt is logged too: with its path, as there is no URL yet.
    """
    records = _Records(log)
    try:
        yield records
    except CallFailed as failure:
        if not records.own and not records.logged:
            records.own.append(Attempt(request.method, request.path, None, 0, type(failure).__name__, "", ""))
        raise
    finally:
        records.close()


@dataclass(slots=True)
class _Attempts:
    """The attempts of one call.

    Attributes:
        number: how many were made.
        refused_token: the access token that the platform refused, until another one is got in its place.
        refreshed: another one was got, or none can be got: a call gets one once.
    """

    account: Account
    request: PlatformRequest
    url: str
    terms: CallTerms
    records: _Records
    deadline: Deadline
    number: int = 0
    refused_token: str | None = None
    refreshed: bool = False

    def make(self) -> _Judged | CallFailed:
        """Make one attempt and return what it shows; in place of a refused access token it gets another one first."""
        self.number += 1
        try:
            fields = self._authenticated()
            reply = self._sent(fields)
        except CallFailed as failure:
            return failure
        read = _readable(reply, self.request.raw or _DECODED)
        throttled = stated_error(read, self.terms.errors) is RateLimited
        signal = signals.read(read, self.terms.limits, throttled=throttled)
        self.terms.gate.learn(signal)
        verdict = judge(read, self.terms.errors, self.account.address, signal)
        secrets = (*self.account.secrets.values(), *fields.derived)
        if reply.status == 401 and not self.refreshed:
            self.refused_token = fields.renewable
        return _Judged(Answered(reply, verdict, 1, secrets), signal)

    def wait_after(self, outcome: _Judged | CallFailed) -> float | None:
        """Return the seconds to wait before the next attempt; None: the outcome stands."""
        if self.number >= self.request.most_attempts:
            return None
        refused = self.refused_token is not None and not isinstance(outcome, CallFailed)
        wait = 0.0 if refused else _wait(self.request, outcome, self.number)
        return None if wait is None or wait + _LEAST_SECONDS > self.deadline.left() else wait

    def _authenticated(self) -> AuthenticationFields:
        """Return the fields that authenticate an attempt; raises CallFailed, where nothing was sent."""
        refused = self.refused_token
        try:
            fields = authenticate(
                self.account,
                self.request.content,
                self.records.of_token,
                self.terms.tokens,
                refused=refused,
                deadline=self.deadline,
            )
        except TokenRefused as refusal:
            if refusal.refusal is not None:
                self.refused_token, self.refreshed = None, True
            raise
        self.refused_token, self.refreshed = None, self.refreshed or refused is not None
        return fields

    def _sent(self, fields: AuthenticationFields) -> Reply:
        """Send the request once, and return the answer."""
        request, raw = self.request, self.request.raw or _DECODED
        # Getting a token may have taken all of it.
        _check_time(self.deadline)
        return client.send(
            request.method,
            self.url + _query_text(request.query, fields.query),
            log=self.records.own.append,
            headers={**request.headers, **fields.headers},
            body=request.content,
            budget=self.deadline.left(),
            secrets=(*self.account.secrets.values(), *fields.derived),
            most_bytes=raw.most_bytes,
            encodings=raw.encodings,
            keep_for=self.terms.keep_for,
            may_break=_repetition(request) != "once" and request.most_attempts > 1 and not self.records.own,
        )


def _check_time(deadline: Deadline) -> None:
    if deadline.left() < _LEAST_SECONDS:
        raise OutOfTime("no time is left for the call")


def _of_both(first: _Judged | CallFailed, second: _Judged | CallFailed) -> _Judged | CallFailed:
    """Return the outcome of two attempts: the second's, but a refusal stands where no other token can be got."""
    return first if isinstance(second, TokenRefused) and second.refusal == "client" else second


def _may_be_done(outcome: _Judged | CallFailed) -> bool:
    """Return whether an attempt that is followed by another one may have done what the call asks for."""
    if isinstance(outcome, CallFailed):
        return outcome.sent
    return _ending(outcome.answered.verdict, outcome.signal) == "broken"


def _repetition(request: PlatformRequest) -> Repetition:
    return request.repetition or retries.repetition_of(request.method)


def _readable(reply: Reply, raw: Raw) -> Reply:
    """Return an answer as its readers take it: an answer that is passed through may be compressed."""
    encoding = reply.headers.get("content-encoding")
    if raw.encodings is None or not encoding:
        return reply
    return replace(reply, body=decompression.beginning(reply.body, encoding, client.MOST_BYTES) or b"")


def _query_text(query: Mapping[str, str] | str, authenticating: Mapping[str, str]) -> str:
    given = query if isinstance(query, str) else urlencode(query)
    texts = [text for text in (given, urlencode(authenticating)) if text]
    return f"?{'&'.join(texts)}" if texts else ""


def _wait(request: PlatformRequest, outcome: _Judged | CallFailed, number: int) -> float | None:
    """Return the seconds that the rules ask to wait after an attempt; None: there is no other attempt."""
    repetition, asked = _repetition(request), None
    if isinstance(outcome, TokenRefused):
        # The platform got no byte of the call itself.
        asked = outcome.wait
        again = retries.may_repeat(_ending(outcome.verdict, SILENT), "repeatable")
    elif isinstance(outcome, CallFailed):
        again = retries.may_repeat_failure(outcome, repetition)
    else:
        asked = outcome.signal.asked
        ending = _ending(outcome.answered.verdict, outcome.signal)
        again = outcome.signal.retry is not False and retries.may_repeat(ending, repetition)
    return retries.wait(number, asked) if again else None


def _ending(verdict: Verdict, signal: Signal) -> Ending:
    if verdict.error is RateLimited:
        return "unprocessed" if signal.unprocessed else "busy"
    if verdict.error is ProviderError or signal.retry:
        return "broken"
    return "final"


def _admitted(terms: CallTerms, wait: float) -> bool:
    """Wait, and return whether another attempt may pass. If not, the call ends with the outcome it has."""
    sleep(wait)
    try:
        terms.gate.admit()
    except (RateLimitExceeded, CircuitOpen, Unavailable):
        return False
    return True
