"""Calls to the outside: one HTTP client, its time bounded."""

import requests
from urllib3.exceptions import HTTPError

from causeway.deadlines import bounded
from causeway.outbound.calls import Attempt, Reply, call, check_url
from causeway.outbound.failures import (
    AddressBlocked,
    AddressInvalid,
    CallFailed,
    ConfigLacks,
    ConnectFailed,
    DnsFailed,
    DnsUnavailable,
    Garbled,
    RequestInvalid,
    TimedOut,
    TlsFailed,
    TooLarge,
)
from causeway.outbound.sessions import RacingAdapter, Session

__all__ = [
    "AddressBlocked",
    "AddressInvalid",
    "Attempt",
    "CallFailed",
    "ConfigLacks",
    "ConnectFailed",
    "DnsFailed",
    "DnsUnavailable",
    "Garbled",
    "Reply",
    "RequestInvalid",
    "TimedOut",
    "TlsFailed",
    "TooLarge",
    "call",
    "check_url",
    "post_json",
]

# Seconds to connect, and to wait for the next byte.
_TIMEOUT = (3.05, 20)

_session = Session()
for _scheme in ("https://", "http://"):
    _session.mount(_scheme, RacingAdapter())


def post_json(url: str, body: bytes, headers: dict[str, str], seconds: float, most_bytes: int) -> Reply:
    """Send a JSON body to a partner of our own configuration and return the answer, whatever its status.

    Redirects are not followed; the connection is kept for the next call.

    Args:
        url: where to.
        body: the bytes to send, as signed.
        headers: in addition to Content-Type.
        seconds: for all of it, from the name's resolution to the last byte.
        most_bytes: of an answer, decompressed.

    Raises:
        CallFailed: no connection, no complete answer in time, or a larger one.
    """
    try:
        reply = bounded(seconds, lambda: _posted(url, body, headers, most_bytes))
    except TimeoutError as error:
        raise TimedOut(f"POST {url}: no complete answer within {seconds:.1f} s") from error
    # Reading an answer raises more than requests' own errors: of urllib3's, of zlib's, ValueError for a chunk's size.
    except (requests.RequestException, HTTPError, OSError, ValueError) as error:
        raise CallFailed(f"POST {url}: {type(error).__name__}") from error
    if len(reply.body) > most_bytes:
        raise TooLarge(f"POST {url}: more than {most_bytes} bytes")
    return reply


def _posted(url: str, body: bytes, headers: dict[str, str], most_bytes: int) -> Reply:
    with _session.post(
        url,
        data=body,
        headers={"Content-Type": "application/json", **headers},
        timeout=_TIMEOUT,
        allow_redirects=False,
        stream=True,
    ) as response:
        content = response.raw.read(most_bytes + 1, decode_content=True)
        return Reply(response.status_code, response.headers, content)
