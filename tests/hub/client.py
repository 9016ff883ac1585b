"""A client of the hub's HTTP API.

It keeps every answer for the search for secrets, and checks that the OpenAPI document declares every refusal.
"""

import json
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from http.client import HTTPConnection
from pathlib import Path
from secrets import token_hex
from time import monotonic, sleep
from typing import Any
from urllib.parse import urlsplit

from causeway.wire.preconditions import Expected
from local.gateway.routes import delivered_path
from local.services.demo_data import CASINO_CODE, SECOND_CODE, TENANTS

ROOT = Path(__file__).parents[2]
OURS, THEIRS = CASINO_CODE, SECOND_CODE
# A name with a private address: the egress guard refuses it, and no packet is sent.
UNREACHABLE = "https://localhost"
_TIMEOUT = 40


@dataclass(frozen=True)
class Caller:
    """A caller: the token's role and tenant (None: no token), and additional headers."""

    role: str | None
    tenant: str = OURS
    headers: Mapping[str, str] = field(default_factory=dict)


ADMIN = Caller("tenant_admin")
REGULATOR = Caller("regulator")
STAFF = Caller("staff")
THEIR_ADMIN = Caller("tenant_admin", THEIRS)
NOBODY = Caller(None)
DEPLOYMENT_ADMIN = Caller("super_admin")
SUPER_ADMIN = Caller("super_admin", headers={"x-tenant-id": TENANTS[OURS]})


def claims_of(token: str) -> dict[str, Any]:
    """The claims in a token."""
    return json.loads(urlsafe_b64decode(token.split(".")[1] + "=="))


@cache
def _declared() -> list[tuple[tuple[str, ...], set[str]]]:
    """The error codes that the OpenAPI document declares, by a route's method and path; paths without ids first.

    "gateway" is added if API Gateway itself may refuse the call, without a code.
    """
    document = json.loads((ROOT / "functions" / "console" / "openapi.json").read_text(encoding="utf-8"))
    found = []
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            # A refusal's name has its status and codes: "#/components/responses/412-VERSION_MISMATCH".
            names = [one["$ref"].rpartition("/")[2] for one in operation["responses"].values() if "$ref" in one]
            codes = {code for name in names for code in name.split("-")[1:]}
            found.append(((method.upper(), *path.split("/")), codes))
    return sorted(found, key=lambda one: str(one[0]).count("{"))


def declared(method: str, path: str) -> set[str] | None:
    """The error codes that the OpenAPI document declares for a request; None if it has no such route."""
    parts = (method, *delivered_path(path).split("/"))
    for route, codes in _declared():
        pairs = list(zip(route, parts, strict=False))
        if len(route) == len(parts) and all(own == sent or (own[:1] == "{" and sent) for own, sent in pairs):
            return codes
    return None


def machine(key: str) -> Caller:
    """The machine with this API key."""
    return Caller(None, headers={"x-api-key": key})


@dataclass(frozen=True)
class Reply:
    """An answer; headers by lower-case name."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The error's code, '' if there is none."""
        return str(self.json.get("code", "")) if self.body else ""

    @property
    def essence(self) -> tuple[int, dict[str, Any]]:
        """Status and body without the fields that differ at every call, and without the next action."""
        return self.status, {
            name: value for name, value in self.json.items() if name not in ("requestId", "nextAction")
        }

    @property
    def etag(self) -> str:
        return self.headers["etag"]


class Hub:
    """A client of the hub's API."""

    def __init__(self, base_url: str, tokens: Mapping[str, Any]) -> None:
        self._place = urlsplit(base_url).netloc
        self.tokens = tokens
        self.seen: list[Reply] = []

    def token(self, caller: Caller) -> str | None:
        """The caller's ID token."""
        if caller.role is None:
            return None
        if caller.role == "super_admin":
            return self.tokens["super_admin"]
        return self.tokens[caller.tenant][caller.role]

    def call(
        self,
        method: str,
        path: str,
        caller: Caller = ADMIN,
        body: Any = None,
        *,
        raw: bytes | None = None,
        **headers: str,
    ) -> Reply:
        """Make a call; body is sent as JSON, raw unchanged; headers: if_match is If-Match."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()} | dict(caller.headers)
        token = self.token(caller)
        if token is not None:
            sent.setdefault("authorization", f"Bearer {token}")
        if body is not None:
            raw = json.dumps(body).encode()
        if raw is not None:
            sent.setdefault("content-type", "application/json")
        reply = self.send(method, path, raw, sent)
        self.seen.append(reply)
        # API Gateway's own refusals have no code.
        assert reply.status < 400 or not reply.code or "nextAction" in reply.json, f"{method} {path}: {reply}"
        codes = declared(method, path)
        assert reply.status < 400 or codes is None or (reply.code or "gateway") in codes, f"{method} {path}: {reply}"
        return reply

    def send(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Reply:
        """Send a request unchanged."""
        connection = HTTPConnection(self._place, timeout=_TIMEOUT)
        try:
            connection.request(method, path, body, dict(headers))
            response = connection.getresponse()
            return Reply(
                response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
            )
        finally:
            connection.close()

    def created(self, caller: Caller = ADMIN, **changes: Any) -> Reply:
        """Create a connection whose test fails at once, because its address is not called."""
        reply = self.call("POST", "/integrations", caller, draft(**changes))
        assert reply.status == 201, reply
        return reply

    def new_key(self, caller: Caller = ADMIN, **changes: Any) -> dict[str, Any]:
        """A new API key, as its creation answers it."""
        reply = self.call("POST", "/api-keys", caller, {"name": f"machine {token_hex(6)}"} | changes)
        assert reply.status == 201, reply
        return reply.json

    def connection(self, caller: Caller = ADMIN, **changes: Any) -> str:
        """The path of a new connection."""
        return f"/integrations/{self.created(caller, **changes).json['id']}"

    def synced(self, path: str, caller: Caller = ADMIN) -> dict[str, Any]:
        """Request a sync of a connection and wait for its end; returns the run."""
        reply = self.call("POST", f"{path}/sync", caller)
        assert reply.status == 202, reply
        return self.ended(reply.headers["location"], caller)

    def ended(self, path: str, caller: Caller = ADMIN) -> dict[str, Any]:
        """Wait until a run is finished."""
        deadline = monotonic() + _TIMEOUT
        while True:
            run = self.call("GET", path, caller).json
            if run["status"] not in ("queued", "running"):
                return run
            assert monotonic() < deadline, run
            sleep(0.1)

    def audited(self, path: str, caller: Caller = ADMIN) -> list[dict[str, Any]]:
        """The audit log entries about the object of a path, oldest first."""
        reply = self.call("GET", f"/audit?limit=1000&object_id={path.rsplit('/', 1)[-1]}", caller)
        assert reply.status == 200, reply
        return list(reversed(reply.json["entries"]))


def exactly(version: int) -> Expected:
    """An If-Match with one version."""
    return Expected(frozenset({version}))


def config(**changes: Any) -> dict[str, Any]:
    """A configuration for SOFTSWISS, the provider whose base URL each tenant enters."""
    return {
        "api_key": f"key-{token_hex(16)}",
        "api_secret": f"secret-{token_hex(16)}",
        "casino_id": "casino-1",
        "environment": "sandbox",
        "base_url": UNREACHABLE,
    } | changes


def draft(**changes: Any) -> dict[str, Any]:
    """The body of POST /integrations, with a unique name."""
    return {"templateId": "softswiss", "name": f"Casino {token_hex(6)}", "config": config()} | changes
