"""JSON calls between casino and game provider: partners whose addresses the deployment's own data names."""

import requests
from urllib3.exceptions import HTTPError

from causeway.outbound.deadlines import bounded
from causeway.outbound.failures import CallFailed, TimedOut, TooLarge
from causeway.outbound.replies import Reply
from causeway.outbound.sessions import HappyEyeballsAdapter, NoRedirectSession

# Seconds to connect, and to wait for the next byte.
_TIMEOUT = (3.05, 20)

# Connections are kept and reused: the session lives as long as the execution environment.
_session = NoRedirectSession()
for _scheme in ("https://", "http://"):
    _session.mount(_scheme, HappyEyeballsAdapter())


def post_json(url: str, body: bytes, headers: dict[str, str], seconds: float, most_bytes: int) -> Reply:
    """Send a JSON body to a partner and return the answer, whatever its status. Redirects are not followed.

    Args:
        url: the address to call.
        body: the bytes to send, as signed.
        headers: in addition to Content-Type.
        seconds: the limit for the whole call, from the name's resolution to the last byte.
        most_bytes: the limit for the answer's body, decompressed.

    Raises:
        CallFailed: no connection, no complete answer in time, or a larger answer.
    """
    try:
        reply = bounded(seconds, lambda: _posted(url, body, headers, most_bytes))
    except TimeoutError as error:
        raise TimedOut(f"POST {url}: no complete answer within {seconds:.1f} s") from error
    # Reading an answer raises errors of requests, urllib3 and zlib, and ValueError for a malformed chunk size.
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
