"""The hub of the session's stack: over HTTP and in this process, and a platform that it calls."""

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from secrets import token_hex
from threading import Thread
from typing import Any

import psycopg
import pytest
from psycopg.rows import namedtuple_row

from causeway.audit_log.verifier import ChainTotals, verify
from causeway.tenancy.claims import person_of
from causeway.tenancy.context import RequestContext
from local.account import REGION
from local.services.cognito import Person
from local.services.demo_data import TENANTS
from local.stack import Stack
from tests.findings import none_of
from tests.hub.client import ADMIN, NOBODY, OURS, Caller, Hub, claims_of
from tests.hub.in_process import InProcessHub, forget
from tests.hub.proxied import Proxied


@pytest.fixture(scope="session")
def hub(stack: Stack) -> Hub:
    """The hub's API over HTTP, with new tokens: tokens live an hour, and the stack's may have expired."""
    renewed = Hub(stack.base_url, {}).call("POST", "/_local/tokens", NOBODY)
    hub = Hub(stack.base_url, renewed.json)
    # A person's first call creates the membership, which no test may count as its own change.
    for role in ("tenant_admin", "regulator", "staff"):
        for tenant in TENANTS:
            hub.call("GET", "/integrations", Caller(role, tenant))
    return hub


@pytest.fixture(scope="module")
def rows(stack: Stack) -> Iterator[Callable[..., list[Any]]]:
    """Runs a statement on the stack's database, with a role that row-level security does not restrict."""
    with psycopg.connect(stack.database_urls["superuser"], autocommit=True, row_factory=namedtuple_row) as database:

        def run(statement: str, parameters: list[Any] | dict[str, Any] | None = None) -> list[Any]:
            cursor = database.execute(statement.encode(), parameters)
            return cursor.fetchall() if cursor.description else []

        yield run


@pytest.fixture
def someone(stack: Stack) -> Callable[..., str]:
    """Adds a person to the user pool and logs the person in: someone("staff", tenant=...) is the ID token."""

    def join(*groups: str, tenant: str | None = TENANTS[OURS]) -> str:
        pool = stack.user_pool
        name = f"person-{token_hex(6)}@example.com"
        attributes = {} if tenant is None else {"tenant_id": tenant}
        pool.add(Person(name, groups[0] if groups else None, attributes))
        for group in groups[1:]:
            pool._call("AdminAddUserToGroup", UserPoolId=pool.id, Username=name, GroupName=group)
        return pool.log_in(name)["IdToken"]

    return join


@pytest.fixture(scope="module", autouse=True)
def audit_chain(stack: Stack, hub: Hub) -> Iterator[None]:
    """HUB 44: the audit chains of all tenants are intact after the tests of each module."""
    yield
    # A worker may have run only tests that write no entry; reading the audit log writes one.
    assert hub.call("GET", "/audit", ADMIN).status == 200
    totals = ChainTotals()
    with psycopg.connect(stack.database_urls["auditor"], autocommit=True) as database:
        none_of(verify(database, totals))
    assert totals.entries > 0


class Platform:
    """A platform's server with a list of valid keys; it echoes what it receives, as a bad platform would."""

    def __init__(self) -> None:
        self.keys: set[str] = set()
        self.calls = 0
        # If set, the status of every answer, whatever the key.
        self.status: int | None = None
        # Further fields of the answer, besides the echo.
        self.said: dict[str, Any] = {}
        # The body of every answer to a POST.
        self.answer = b"{}"
        # Further headers of every answer.
        self.told: dict[str, str] = {}
        self.posted = 0
        # Runs before each answer.
        self.meanwhile: Callable[[], object] = lambda: None
        platform = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                platform.calls += 1
                platform.meanwhile()
                known = self.headers.get("x-api-key", "") in platform.keys
                said = {"path": self.path, "headers": dict(self.headers.items()), "players": []} | platform.said
                body = json.dumps(said).encode()
                self.send_response(platform.status or (200 if known else 401))
                self.send_header("content-type", "application/json")
                self.send_header("x-request-id", f"platform-{platform.calls}")
                self.send_header("content-length", str(len(body)))
                for name, value in platform.told.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("content-length", "0")))
                platform.posted += 1
                platform.meanwhile()
                self.send_response(platform.status or 201)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(platform.answer)))
                self.end_headers()
                self.wfile.write(platform.answer)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def platform() -> Iterator[Platform]:
    """A platform on loopback."""
    platform = Platform()
    yield platform
    platform.close()


@pytest.fixture
def inside(stack: Stack, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., RequestContext]]:
    """Turns this process into an environment of the connections function that may call loopback.

    inside(ADMIN, AWS_ENDPOINT_URL="...") returns a caller's context; further arguments replace the template's settings.
    """

    def enter(caller: Caller = ADMIN, **changes: str) -> RequestContext:
        [function] = [one for one in stack.functions if one.handler == "connections.handler"]
        given = {
            "AWS_ENDPOINT_URL": stack.info["aws_endpoint_url"],
            "AWS_SESSION_TOKEN": stack.info["aws_session_token"],
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
        }
        allowed = {"EGRESS_ALLOWED_HOSTS": "127.0.0.1"}
        for name, value in (given | dict(function.environment) | allowed | changes).items():
            monkeypatch.setenv(name, value)
        forget()
        claims = claims_of(hub.token(caller) or "")
        flat = {
            name: " ".join(value).join("[]") if isinstance(value, list) else str(value)
            for name, value in claims.items()
        }
        return RequestContext(person_of(flat, TENANTS[caller.tenant]), "203.0.113.7", "inside")

    yield enter
    forget()


@pytest.fixture(scope="module")
def inside_hub(hub: Hub, stack: Stack) -> Iterator[InProcessHub]:
    """The hub in this process, whose functions may call loopback."""
    with InProcessHub(stack, hub.tokens, EGRESS_ALLOWED_HOSTS="127.0.0.1") as inside:
        yield inside


@pytest.fixture
def proxied(inside_hub: InProcessHub) -> Iterator[Proxied]:
    """A connection whose platform answers what the test tells it."""
    proxied = Proxied(inside_hub)
    with proxied.server:
        proxied.connect()
        yield proxied
