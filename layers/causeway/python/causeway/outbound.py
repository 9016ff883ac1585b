"""Calls to the outside: one HTTP client, its time bounded."""

from dataclasses import dataclass

import requests

# Seconds to connect, and to wait for the next byte.
_TIMEOUT = (3.05, 20)
# Bytes of an answer that are read.
_MOST_BYTES = 1024 * 1024

_session = requests.Session()


class CallFailed(Exception):
    """The call got no usable answer; the text says why, for the log"""


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a call."""

    status: int
    body: bytes


def post_json(url: str, body: bytes, headers: dict[str, str]) -> Reply:
    """Send a JSON body and return the answer, whatever its status. Redirects are not followed.

    Args:
        url: where to.
        body: the bytes to send, as signed.
        headers: in addition to Content-Type.

    Raises:
        CallFailed: no connection, no answer in time, or one of more than 1 MiB.
    """
    try:
        with _session.post(
            url,
            data=body,
            headers={"Content-Type": "application/json", **headers},
            timeout=_TIMEOUT,
            allow_redirects=False,
            stream=True,
        ) as response:
            content = response.raw.read(_MOST_BYTES + 1, decode_content=True)
    except requests.RequestException as error:
        raise CallFailed(f"POST {url}: {type(error).__name__}") from error
    if len(content) > _MOST_BYTES:
        raise CallFailed(f"POST {url}: more than {_MOST_BYTES} bytes")
    return Reply(response.status_code, content)
