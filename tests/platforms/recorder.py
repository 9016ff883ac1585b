"""A server that records what a platform's test call sends."""

import hmac
import json
import socket
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from tests.unit.wire_server import WireServer, ok

# The access token that the recorder issues.
TOKEN = "recorded-t0ken"
# Headers of each request, whatever the platform; Accept is one of them where the platform asks for no other type.
_TRANSPORT = frozenset(("host", "user-agent", "accept-encoding", "connection", "content-length"))
_ACCEPT = ("Accept", "application/json")
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Sent:
    """A request as it was sent: target is the path and query, headers are without those of the transport.

    body: the fields of a form, or the JSON value; None without a body.
    """

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None


def basic(user: str, password: str) -> dict[str, str]:
    """Return the header of HTTP Basic authentication."""
    return {"Authorization": f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"}


def bearer(token: str) -> dict[str, str]:
    """Return the header of a bearer token."""
    return {"Authorization": f"Bearer {token}"}


def signature(secret: str, body: bytes = b"") -> str:
    """Return the hex HMAC-SHA256 of a body."""
    return hmac.new(secret.encode(), body, "sha256").hexdigest()


def answer(connection: socket.socket, server: WireServer) -> None:
    """Answer every request with an access token; as a JSON object it serves as every test call's answer too."""
    content = json.dumps({"access_token": TOKEN, "token_type": "Bearer"}).encode()
    ok(content, "Content-Type: application/json")(connection, server)


def parsed(request: bytes, key: str) -> Sent:
    """Return a recorded request; the target is without the platform's key."""
    head, _, body = request.partition(b"\r\n\r\n")
    line, *lines = head.decode().split("\r\n")
    method, target, _ = line.split(" ")
    headers = dict(text.split(": ", 1) for text in lines)
    kept = {
        name: value for name, value in headers.items() if name.lower() not in _TRANSPORT and (name, value) != _ACCEPT
    }
    form = kept.items() >= FORM.items()
    content = None if not body else dict(parse_qsl(body.decode())) if form else json.loads(body)
    return Sent(method, target.removeprefix(f"/{key}"), kept, content)
