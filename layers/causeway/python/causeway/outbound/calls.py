"""One call to the outside, bounded in time, size and reach, with a log record per attempt."""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from time import monotonic
from urllib.parse import urlsplit

import requests
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import ProtocolError

from causeway.outbound import egress
from causeway.outbound.cutoff import Cutoff
from causeway.outbound.failures import (
    AddressInvalid,
    CallFailed,
    ConnectFailed,
    Garbled,
    RequestInvalid,
    TimedOut,
    TooLarge,
)
from causeway.outbound.pinned import PinnedAdapter
from causeway.outbound.sessions import Session
from causeway.outbound.targets import why_not_address, why_not_header

_logger = logging.getLogger(__name__)

# The form Meta's description of the WhatsApp Cloud API demands: name/1.2.3.
_USER_AGENT = "Causeway/1.0.0"


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a call; headers are found in whatever case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Attempt:
    """What the log keeps of one attempt: nothing in it is secret.

    error: the class of the failure, None where an answer came. Bodies are redacted and cut.
    """

    method: str
    url: str
    status: int | None
    milliseconds: int
    error: str | None
    request_body: str
    response_body: str


def call(
    method: str,
    url: str,
    *,
    log: Callable[[Attempt], object],
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    budget: float = 10.0,
    most_bytes: int = 1024 * 1024,
    secrets: Iterable[str] = (),
) -> Reply:
    """Send a request once and return the answer, whatever its status. Redirects are not followed.

    Args:
        method: GET, POST, ...
        url: where to, http or https, without user and password.
        log: gets the record of the attempt; when it fails, the call does not.
        headers: in addition to User-Agent and Accept.
        body: the bytes to send.
        budget: seconds for all of it, from the name's resolution to the last byte.
        most_bytes: of an answer, decompressed.
        secrets: values the record must not show, wherever they stand.

    Raises:
        CallFailed: no usable answer; its class tells why.
    """
    # Its patterns take milliseconds to make, which those that only need post_json save.
    from causeway.outbound.redaction import Redactor

    started = monotonic()
    given = headers or {}

    def record(reply: Reply | None, failure: CallFailed | None) -> None:
        try:
            redactor = Redactor(secrets)
            attempt = Attempt(
                method=method,
                url=redactor.url(url),
                status=None if reply is None else reply.status,
                milliseconds=round((monotonic() - started) * 1000),
                error=None if failure is None else type(failure).__name__,
                request_body=redactor.body(body, _content_type(given)),
                response_body="" if reply is None else redactor.body(reply.body, _content_type(reply.headers)),
            )
            log(attempt)
        except Exception:
            _logger.exception("an attempt could not be logged")

    try:
        reply = _send(method, url, given, body, budget, most_bytes)
    except CallFailed as failure:
        record(None, failure)
        raise
    record(reply, None)
    return reply


def _content_type(headers: Mapping[str, str]) -> str:
    return next((value for name, value in headers.items() if name.lower() == "content-type"), "")


def _send(method: str, url: str, headers: Mapping[str, str], body: bytes, budget: float, most_bytes: int) -> Reply:
    check_url(url)
    _check_headers(headers)
    cutoff = Cutoff(budget)
    session = Session()
    # Neither a proxy nor a password of the environment's.
    session.trust_env = False
    session.headers = CaseInsensitiveDict(
        {"User-Agent": _USER_AGENT, "Accept": "application/json", "Accept-Encoding": "gzip, deflate"}
    )
    adapter = PinnedAdapter(cutoff)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    try:
        with session.request(
            method, url, data=body, headers=dict(headers), timeout=budget, allow_redirects=False, stream=True
        ) as response:
            content = _content(response, cutoff, most_bytes)
            return Reply(response.status_code, response.headers, content)
    except CallFailed as failure:
        failure.sent = cutoff.sent
        raise
    # Any class: a stranger's answer breaks its readers in ways that no list of ours names.
    except Exception as error:  # noqa: BLE001
        failure = _failure(error, cutoff)
        failure.sent = cutoff.sent
        # The cause may quote a header or the URL, and a traceback would show it.
        raise failure from None
    finally:
        cutoff.close()
        session.close()


def _content(response: requests.Response, cutoff: Cutoff, most_bytes: int) -> bytes:
    """Read an answer's body; raises TooLarge, TimedOut, and whatever urllib3 does."""
    content = response.raw.read(most_bytes + 1, decode_content=True)
    # An answer without a length ends where the connection does, so a cut looks like its end.
    cutoff.left()
    if len(content) > most_bytes:
        raise TooLarge(f"the answer has more than {most_bytes} bytes")
    return content


def check_url(url: str) -> None:
    """Refuse a URL that is never called, whatever its host's name resolves to.

    Raises:
        AddressInvalid: it is no URL, leads out of itself or has no TLS; no value is quoted.
        AddressBlocked: its host is an address that is private or reserved.
    """
    wrong = why_not_address(url)
    if wrong is not None:
        raise AddressInvalid(wrong)
    parts = urlsplit(url)
    tls = parts.scheme == "https"
    egress.demand_callable(parts.hostname or "", parts.port or (443 if tls else 80), tls=tls)


def _check_headers(headers: Mapping[str, str]) -> None:
    """Raise RequestInvalid where a header says what is not its caller's to say."""
    for name in headers:
        wrong = why_not_header(name)
        if wrong is not None:
            raise RequestInvalid(f"the header {name} {wrong}")


def _failure(error: Exception, cutoff: Cutoff) -> CallFailed:
    """What is left when name, address, connection and TLS were fine: sending and reading."""
    if cutoff.passed:
        return TimedOut("no complete answer within the budget")
    if isinstance(error, (requests.Timeout, TimeoutError)):
        return TimedOut("no answer in time")
    if not cutoff.sent and isinstance(error, ValueError):
        # A URL, header or method with characters that HTTP does not have.
        return RequestInvalid(f"the request cannot be sent: {type(error).__name__}")
    cause = error.args[0] if error.args else None
    reason = cause.args[-1] if isinstance(cause, ProtocolError) and cause.args else error
    # A connection that is closed without a word is an HTTPException too, and an OSError besides.
    if isinstance(reason, OSError) and not isinstance(reason, ValueError):
        return ConnectFailed(f"the connection broke: {type(reason).__name__}")
    return Garbled(f"the answer is not HTTP: {type(reason).__name__}")
