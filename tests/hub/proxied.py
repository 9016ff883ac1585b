"""A connection whose platform is a server that a test tells what to answer, called through the proxy."""

from secrets import token_hex
from socket import socket
from typing import Any

from tests.hub.client import ADMIN, Caller, Hub, Reply, config, draft
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
