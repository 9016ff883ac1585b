"""The proxy: calls to a connection's platform, passed through byte by byte."""

from collections.abc import Iterator
from secrets import token_bytes, token_hex
from socket import socket
from typing import Any

import pytest

from local.stack import Stack
from tests.hub.client import ADMIN, Caller, Hub, Reply, config, draft
from tests.hub.in_process import InProcessHub
from tests.unit.wire_server import Act, WireServer, ok

FORM = "/functions/v1/api-proxy"


class Proxied:
    """A connection to a server that a test tells what to answer."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.act: Act = ok(b"{}", "Content-Type: application/json")
        self.server = WireServer(self._answer)
        self.key = f"key-{token_hex(16)}"

    def _answer(self, connection: socket, server: WireServer) -> None:
        self.act(connection, server)

    def connect(self, **changes: Any) -> None:
        wanted = draft(config=config(base_url=self.server.url, api_key=self.key)) | changes
        made = self.hub.call("POST", "/integrations", body=wanted)
        assert made.json["status"] == "active", made
        self.id = made.json["id"]
        self.path = f"/integrations/{self.id}"
        self.server.requests.clear()

    def form(self, method: str = "GET", path: str = "/x", caller: Caller = ADMIN, **fields: Any) -> Reply:
        headers = fields.pop("sent", {})
        body = {"connection_id": self.id, "method": method, "path": path} | fields
        return self.hub.call("POST", FORM, caller, body, **headers)

    def rest(self, method: str, path: str, raw: bytes | None = None, caller: Caller = ADMIN, **headers: str) -> Reply:
        return self.hub.call(method, f"/proxy/{self.id}{path}", caller, raw=raw, **headers)

    @property
    def heads(self) -> list[list[str]]:
        """The heads of the requests that arrived, as lines in lower case but for the first."""
        heads = [request.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n") for request in self.server.requests]
        return [[first, *(line.lower() for line in lines)] for first, *lines in heads]

    @property
    def bodies(self) -> list[bytes]:
        return [request.partition(b"\r\n\r\n")[2] for request in self.server.requests]

    def logs(self) -> list[dict[str, Any]]:
        return self.hub.call("GET", f"{self.path}/logs").json["logs"]


@pytest.fixture(scope="module")
def inside_hub(hub: Hub, stack: Stack) -> Iterator[InProcessHub]:
    with InProcessHub(stack, hub.tokens, EGRESS_ALLOWED_HOSTS="127.0.0.1") as inside:
        yield inside


@pytest.fixture
def proxied(inside_hub: InProcessHub) -> Iterator[Proxied]:
    proxied = Proxied(inside_hub)
    with proxied.server:
        proxied.connect()
        yield proxied


def test_call_of_the_form_reaches_the_platform_and_its_answer_comes_back(proxied: Proxied) -> None:
    """HUB 12."""
    proxied.act = ok(b'{"id":7}', "Content-Type: application/vnd.x+json", "X-Page: 1", "Set-Cookie: a=b")
    answer = proxied.form("GET", "/players", query={"limit": "10"}, headers={"X-Own": "1"})

    assert (answer.status, answer.body) == (200, b'{"id":7}')
    assert answer.headers["content-type"] == "application/vnd.x+json"
    assert answer.headers["x-page"] == "1"
    assert "set-cookie" not in answer.headers
    [head] = proxied.heads
    assert head[0] == "GET /players?limit=10 HTTP/1.1"
    assert "x-own: 1" in head
    assert f"x-api-key: {proxied.key}" in head
    [logged, *_] = proxied.logs()
    assert answer.headers["x-causeway-attempts"] == "1"
    assert answer.headers["x-causeway-log-id"] == str(logged["id"])
    assert logged["responseBody"] == '{"id":7}'


def test_call_of_the_rest_form_reaches_the_platform(proxied: Proxied) -> None:
    """HUB 12."""
    raw = token_bytes(100)
    proxied.act = ok(raw, "Content-Type: image/png")
    answer = proxied.rest("PUT", "/files/a%20b?x=%2F&y", raw, content_type="application/octet-stream", x_own="1")

    assert (answer.status, answer.body, answer.headers["content-type"]) == (200, raw, "image/png")
    [head] = proxied.heads
    assert head[0] == "PUT /files/a%20b?x=%2F&y HTTP/1.1"
    assert {"x-own: 1", "content-type: application/octet-stream", "content-length: 100"} <= set(head)
    assert proxied.bodies == [raw]
