"""The one client for calls to outside systems: limited in time, size and reach, with a log record per attempt."""

import logging
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import ProtocolError

from causeway.outbound import attempts, decompression, egress
from causeway.outbound.attempts import Attempt
from causeway.outbound.failures import (
    AddressInvalid,
    CallFailed,
    ConnectFailed,
    Garbled,
    RequestInvalid,
    TimedOut,
    TooLarge,
)
from causeway.outbound.pinned_adapter import PinnedAdapter
from causeway.outbound.replies import Reply
from causeway.outbound.request_rules import header_fault, target_of, url_fault
from causeway.outbound.sessions import NoRedirectSession
from causeway.outbound.watchdog import Watchdog

if TYPE_CHECKING:
    from causeway.outbound.redaction import Redactor

_logger = logging.getLogger(__name__)

# The limit for an answer's body, decompressed.
MOST_BYTES = 1024 * 1024
# Characters of an unknown encoding's name that are logged.
_LONGEST_ENCODING = 40
# Seconds for a call.
BUDGET = 10.0
# The form name/1.2.3: Meta's description of the WhatsApp Cloud API demands it.
_USER_AGENT = "Causeway/1.0.0"


# Without a repr: headers and body hold secrets.
@dataclass(frozen=True, slots=True, repr=False)
class _Request:
    """A request as `send` was given it."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    most_bytes: int
    encodings: str | None
    keep_for: Hashable
    may_break: bool


def send(
    method: str,
    url: str,
    *,
    log: Callable[[Attempt], object],
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    budget: float = BUDGET,
    secrets: Iterable[str] = (),
    most_bytes: int = MOST_BYTES,
    encodings: str | None = None,
    keep_for: Hashable = None,
    may_break: bool = False,
) -> Reply:
    """Send a request once and return the answer, whatever its status. Redirects are not followed.

    Args:
        method: GET, POST, ...
        url: the address to call: http or https, without user and password.
        log: receives the record of the attempt. If it raises, the call goes on.
        headers: in addition to User-Agent and Accept.
        body: the bytes to send.
        budget: the limit for the whole call in seconds, from the name's resolution to the last byte.
        secrets: values to redact from the record, wherever they occur.
        most_bytes: the limit for the answer's body, in bytes, as it is returned.
        encodings: an Accept-Encoding to send, and the answer's body is returned as it arrived; None: the body is
            decompressed.
        keep_for: whose call it is. A connection that it leaves open is used only by calls of the same owner, because a
            host may send an answer that nobody asked for, and the next call would read it. None: none is left open.
        may_break: the caller sends the request again if the connection breaks. Only then it may go over a connection
            that an earlier call left open a while ago: the other side may close that at any moment.

    Raises:
        CallFailed: no usable answer; the subclass says why.
    """
    request = _Request(method, url, headers or {}, body, most_bytes, encodings, keep_for, may_break)
    started = monotonic()
    try:
        reply = _exchange(request, budget)
    except CallFailed as failure:
        _record(log, request, failure, started, secrets)
        raise
    _record(log, request, reply, started, secrets)
    return reply


def _record(
    log: Callable[[Attempt], object],
    request: _Request,
    outcome: Reply | CallFailed,
    started: float,
    secrets: Iterable[str],
) -> None:
    # Compiling its patterns takes milliseconds at start-up: only senders pay for it.
    from causeway.outbound.redaction import Redactor

    reply, failure = (outcome, None) if isinstance(outcome, Reply) else (None, outcome)
    try:
        redactor = Redactor(secrets)
        attempt = Attempt(
            method=request.method,
            url=redactor.url(request.url),
            status=None if reply is None else reply.status,
            milliseconds=round((monotonic() - started) * 1000),
            error=None if failure is None else type(failure).__name__,
            request_body=_shown(redactor, request.body, request.headers),
            response_body="" if reply is None else _shown_reply(redactor, request, reply),
            platform_request_id=None if reply is None else _platform_request_id(reply, redactor),
        )
        log(attempt)
    except Exception:
        _logger.exception("an attempt could not be logged")


def _platform_request_id(reply: Reply, redactor: "Redactor") -> str | None:
    given = attempts.platform_request_id(reply.headers)
    return None if given is None else redactor.text(given)


def _shown_reply(redactor: "Redactor", request: _Request, reply: Reply) -> str:
    if request.encodings is None:
        # The body was decompressed when it was read.
        return redactor.body(reply.body, _value(reply.headers, "content-type"))
    return _shown(redactor, reply.body, reply.headers)


def _shown(redactor: "Redactor", body: bytes, headers: Mapping[str, str]) -> str:
    """Return the redacted beginning of a body that may be compressed, or its encoding and size if that is unknown."""
    encoding = _value(headers, "content-encoding")
    plain = decompression.beginning(body, encoding, MOST_BYTES) if encoding and body else body
    if plain is None:
        return redactor.text(f"[{encoding[:_LONGEST_ENCODING]}, {len(body)} bytes]")
    return redactor.body(plain, _value(headers, "content-type"))


def _value(headers: Mapping[str, str], wanted: str) -> str:
    return next((value for name, value in headers.items() if name.lower() == wanted), "")


def _exchange(request: _Request, budget: float) -> Reply:
    check_url(request.url)
    _check_headers(request.headers)
    watchdog = Watchdog(budget)
    session = NoRedirectSession()
    # Ignore proxies and passwords (.netrc) that the environment may name.
    session.trust_env = False
    session.headers = CaseInsensitiveDict(
        {
            "User-Agent": _USER_AGENT,
            "Accept": "application/json",
            "Accept-Encoding": "gzip, deflate" if request.encodings is None else request.encodings,
        }
    )
    adapter = PinnedAdapter(target_of(request.url), watchdog, keep_for=request.keep_for, may_break=request.may_break)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    try:
        with session.request(
            request.method,
            request.url,
            data=request.body,
            headers=dict(request.headers),
            timeout=budget,
            allow_redirects=False,
            stream=True,
        ) as response:
            content = _content(response, request, watchdog)
            watchdog.close()
            if not watchdog.expired:
                adapter.keep()
            return Reply(response.status_code, response.headers, content)
    except CallFailed as failure:
        failure.sent = watchdog.sent
        raise
    # Any class: an untrusted answer can break its parsers with exceptions that no list would hold completely.
    except Exception as error:  # noqa: BLE001
        failure = _failure(error, watchdog)
        failure.sent = watchdog.sent
        # Drop the cause: it may quote a header or the URL, and a traceback would show them.
        raise failure from None
    finally:
        watchdog.close()
        session.close()


def _content(response: requests.Response, request: _Request, watchdog: Watchdog) -> bytes:
    """Read an answer's body; raises TooLarge, TimedOut and urllib3's errors."""
    content, more = b"", b" "
    # urllib3 tells that an answer was cut off only to a read that gets nothing.
    while more and len(content) <= request.most_bytes:
        more = response.raw.read(request.most_bytes + 1 - len(content), decode_content=request.encodings is None)
        content += more
    # An answer without Content-Length ends when the connection closes, so the watchdog's shutdown looks like its end.
    watchdog.check()
    if len(content) > request.most_bytes:
        raise TooLarge(f"the answer has more than {request.most_bytes} bytes")
    return content


def check_url(url: str) -> None:
    """Refuse a URL that is forbidden before its name is resolved.

    Raises:
        AddressInvalid: it is no URL, its path has a `..` segment, or it has no TLS. The text quotes no value.
        AddressBlocked: its host is a private or reserved IP address.
    """
    fault = url_fault(url)
    if fault is not None:
        raise AddressInvalid(fault)
    parts = urlsplit(url)
    tls = parts.scheme == "https"
    egress.check_host(parts.hostname or "", parts.port or (443 if tls else 80), tls=tls)


def _check_headers(headers: Mapping[str, str]) -> None:
    """Raise RequestInvalid for a header that the caller must not set."""
    for name in headers:
        fault = header_fault(name)
        if fault is not None:
            raise RequestInvalid(f"the header {name} {fault}")


def _failure(error: Exception, watchdog: Watchdog) -> CallFailed:
    """Classify an error of sending or reading: name, address, connection and TLS raise a CallFailed of their own."""
    if watchdog.expired:
        return TimedOut("no complete answer within the budget")
    if isinstance(error, (requests.Timeout, TimeoutError)):
        return TimedOut("no answer in time")
    if not watchdog.sent and isinstance(error, ValueError):
        # The URL, a header or the method has characters that HTTP does not allow.
        return RequestInvalid(f"the request cannot be sent: {type(error).__name__}")
    cause = error.args[0] if error.args else None
    reason = cause.args[-1] if isinstance(cause, ProtocolError) and cause.args else error
    # http.client.RemoteDisconnected (closed without an answer) is an HTTPException and an OSError.
    if isinstance(reason, OSError) and not isinstance(reason, ValueError):
        return ConnectFailed(f"the connection broke: {type(reason).__name__}")
    return Garbled(f"the answer is not HTTP: {type(reason).__name__}")
