"""Role x route x object: the right answer, and no change in the database if it is a refusal.

A cell's call stays in this process (tests/hub/in_process.py); one call per route goes through HTTP and the runtime.
"""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from secrets import token_hex
from typing import Any
from uuid import uuid4

import pytest

from causeway.tenancy.permissions import ALLOWED
from local import ROOT
from local.services.demo_data import TENANTS
from local.stack import Stack
from local.template.reading import load
from local.template.resources import Function
from tests.hub.client import (
    ADMIN,
    DEPLOYMENT_ADMIN,
    NOBODY,
    OURS,
    REGULATOR,
    STAFF,
    SUPER_ADMIN,
    THEIR_ADMIN,
    THEIRS,
    Caller,
    Hub,
    Reply,
    claims_of,
    draft,
    machine,
)
from tests.hub.in_process import InProcessHub
from tests.hub.objects import template_like
from tests.hub.snapshots import SNAPSHOT

ADMINS = {"super_admin", "tenant_admin"}
OWNERS = {"tenant_admin"}
SUPER_ADMINS = {"super_admin", "super_admin_without_tenant"}
READERS = {"super_admin", "tenant_admin", "regulator"}
USERS = {"super_admin", "tenant_admin", "service"}
ALL = {"super_admin", "tenant_admin", "regulator", "staff", "service"}


@dataclass(frozen=True)
class Expected:
    """The expectation for a route, written by hand: its permission, the roles that have it, and their answer."""

    permission: str
    roles: set[str]
    status: int = 200
    # The code for an unknown object; '' for a route without an object.
    missing: str = ""
    # Whether the object belongs to a tenant.
    tenants: bool = True
    # Whether the deployment has its own object, which a super admin without a tenant gets.
    deployments: bool = False


NO_CONNECTION, NO_KEY, NO_TEMPLATE = "CONNECTION_NOT_FOUND", "API_KEY_NOT_FOUND", "PROVIDER_NOT_FOUND"
NO_TENANT, NO_PERSON = "TENANT_NOT_FOUND", "MEMBERSHIP_NOT_FOUND"
ROUTES = {
    "GET /integrations/templates": Expected("catalogue.read", READERS, tenants=False),
    "POST /integrations/templates": Expected("catalogue.write", {"super_admin"}, 201, tenants=False),
    "GET /integrations/templates/{template_id}": Expected(
        "catalogue.read", READERS, missing=NO_TEMPLATE, tenants=False
    ),
    "PATCH /integrations/templates/{template_id}": Expected(
        "catalogue.write", {"super_admin"}, missing=NO_TEMPLATE, tenants=False
    ),
    "GET /integrations": Expected("connections.list", ALL),
    "POST /integrations": Expected("credentials.write", OWNERS, 201),
    "GET /integrations/{connection_id}": Expected("connections.list", ALL, missing=NO_CONNECTION),
    "PATCH /integrations/{connection_id}": Expected("connections.write", ADMINS, missing=NO_CONNECTION),
    "DELETE /integrations/{connection_id}": Expected("credentials.write", OWNERS, 204, NO_CONNECTION),
    "POST /integrations/{connection_id}/test": Expected("connections.use", USERS, missing=NO_CONNECTION),
    "POST /integrations/{connection_id}/sync": Expected("connections.use", USERS, 202, NO_CONNECTION),
    "GET /integrations/{connection_id}/syncs": Expected("connections.list", ALL, missing=NO_CONNECTION),
    # Allowed; the connection has no such sync. (test_syncs reads existing ones.)
    "GET /integrations/{connection_id}/syncs/{run_id}": Expected("connections.list", ALL, 404, NO_CONNECTION),
    "POST /integrations/{connection_id}/enable": Expected("connections.write", ADMINS, missing=NO_CONNECTION),
    "POST /integrations/{connection_id}/disable": Expected("connections.write", ADMINS, missing=NO_CONNECTION),
    # Allowed; the platform's address is not called, so the new secrets do not replace the old.
    "POST /integrations/{connection_id}/credentials/rotate": Expected("credentials.write", OWNERS, 422, NO_CONNECTION),
    # Allowed; nothing was rotated.
    "POST /integrations/{connection_id}/credentials/rollback": Expected(
        "credentials.write", OWNERS, 409, NO_CONNECTION
    ),
    "GET /integrations/{connection_id}/logs": Expected("logs.read", READERS, missing=NO_CONNECTION),
    # Allowed; the connection has no such call. (test_call_logs reads existing ones.)
    "GET /integrations/{connection_id}/logs/{log_id}": Expected("logs.read", READERS, 404, NO_CONNECTION),
    "GET /integrations/{connection_id}/health": Expected("connections.list", ALL, missing=NO_CONNECTION),
    "GET /integrations/{connection_id}/limits": Expected("connections.read", READERS, missing=NO_CONNECTION),
    "PUT /integrations/{connection_id}/limits": Expected("limits.manage", ADMINS, missing=NO_CONNECTION),
    # Allowed; the connection's platform has no calendars, and the connection is not active.
    "GET /integrations/{connection_id}/calendars": Expected("connections.use", USERS, 409, NO_CONNECTION),
    "GET /integrations/{connection_id}/calendars/{calendar_id}/free-slots": Expected(
        "connections.use", USERS, 409, NO_CONNECTION
    ),
    "POST /integrations/{connection_id}/calendars/{calendar_id}/block-slots": Expected(
        "connections.use", USERS, 409, NO_CONNECTION
    ),
    "POST /functions/v1/rate-limiter": Expected("connections.use", USERS),
    # Allowed; the body names a connection that does not exist.
    "POST /functions/v1/api-proxy": Expected("proxy.use", USERS, 404),
    # Allowed; the connection is not active.
    "ANY /proxy/{connection_id}/{proxy+}": Expected("proxy.use", USERS, 409, NO_CONNECTION),
    # Allowed; the connection's platform has no OAuth.
    "POST /integrations/{connection_id}/authorize": Expected("credentials.write", OWNERS, 409, NO_CONNECTION),
    "POST /integrations/{connection_id}/authorize/complete": Expected("credentials.write", OWNERS, 409, NO_CONNECTION),
    "PUT /integrations/templates/{template_id}/oauth-app": Expected(
        "catalogue.write", {"super_admin"}, 409, missing=NO_TEMPLATE, tenants=False
    ),
    "GET /api-keys": Expected("api_keys.manage", ADMINS),
    "POST /api-keys": Expected("api_keys.manage", ADMINS, 201),
    "DELETE /api-keys/{key_id}": Expected("api_keys.manage", ADMINS, 204, NO_KEY),
    "GET /tenants": Expected("tenants.manage", {"super_admin"}, tenants=False),
    "POST /tenants": Expected("tenants.manage", {"super_admin"}, 201, tenants=False),
    "GET /tenants/{tenant_id}": Expected("tenants.manage", {"super_admin"}, missing=NO_TENANT, tenants=False),
    "PATCH /tenants/{tenant_id}": Expected("tenants.manage", {"super_admin"}, missing=NO_TENANT, tenants=False),
    "GET /me": Expected("me.read", ALL, deployments=True),
    "GET /memberships": Expected("memberships.read", READERS),
    "PATCH /memberships/{subject}": Expected("memberships.manage", ADMINS, missing=NO_PERSON),
    "GET /audit": Expected("audit.read", READERS, deployments=True),
}
SENTENCES = {
    NO_CONNECTION: "No such connection",
    NO_KEY: "No such API key",
    NO_TEMPLATE: "No such integration template",
    NO_TENANT: "No such tenant",
    NO_PERSON: "No such person in this tenant",
}
CALLERS = {
    "super_admin": SUPER_ADMIN,
    "super_admin_without_tenant": DEPLOYMENT_ADMIN,
    "tenant_admin": ADMIN,
    "regulator": REGULATOR,
    "staff": STAFF,
    # A token of the user pool without a role.
    "player": Caller("player"),
    # An API key; one for a channel, which no route is for; a revoked one. World creates them.
    "service": NOBODY,
    "service_of_channel": NOBODY,
    "revoked_service": NOBODY,
    "nobody": NOBODY,
}
KEYS = ("service", "service_of_channel", "revoked_service")
# Malformed ids: no UUID, a NUL, a path traversal, SQL.
MALFORMED = ("malformed", "%00", "..%2F..%2Faudit", "'%20OR%20true%20--", "%F0%9F%92%A5", "0" * 300)


def hub_functions() -> list[Function]:
    """The functions with routes that people call."""
    parameters = {"Stage": "local", "TokenIssuer": "https://issuer.invalid", "TokenAudience": "nobody"}
    functions = load(ROOT / "template.yaml", parameters)
    return [function for function in functions if declared(function)]


def declared(function: Function) -> dict[str, str]:
    """The permissions that a function's source declares, by route."""
    source = function.code_folder / f"{function.handler.partition('.')[0]}.py"
    found = {}
    for node in ast.parse(source.read_text()).body:
        if not isinstance(node, ast.FunctionDef):
            continue
        for call in node.decorator_list:
            if not isinstance(call, ast.Call) or ast.unparse(call.func) != "route":
                continue
            _, method, path = call.args
            for argument in call.keywords:
                if argument.arg == "permission":
                    key = f"{ast.literal_eval(method)} {ast.literal_eval(path)}"
                    found[key] = ast.literal_eval(argument.value)
    return found


AUTHORIZERS = {route.key: route.authorizer for function in hub_functions() for route in function.routes}
TEMPLATE_ROUTES = list(AUTHORIZERS)
KEY_ROUTES = [route for route in TEMPLATE_ROUTES if AUTHORIZERS[route] == "CallerAuthorizer"]


@dataclass(frozen=True)
class Cell:
    """A role, a route, and the owner of the object."""

    role: str
    route: str
    object: str

    def __str__(self) -> str:
        return f"{self.role}: {self.route}: {self.object}"

    @property
    def expected(self) -> Expected:
        return ROUTES[self.route]

    @property
    def known(self) -> bool:
        """Whether the caller has any role."""
        return self.role not in ("player", "revoked_service", "nobody")

    @property
    def stopped(self) -> bool:
        """Whether API Gateway's own authorizer, which accepts tokens only, stops the call."""
        return self.role in ("nobody", *KEYS) and self.route not in KEY_ROUTES

    @property
    def allowed(self) -> bool:
        return self.known and self.role.removesuffix("_without_tenant") in self.expected.roles


def cells() -> list[Cell]:
    """One cell per role, route of the template, and object."""
    found = []
    for route in TEMPLATE_ROUTES:
        if "{" not in route:
            objects = ["own", "other"]
        elif ROUTES[route].tenants:
            objects = ["own", "other", "missing", "malformed"]
        else:
            objects = ["own", "missing", "malformed"]
        found += [Cell(role, route, object) for role in CALLERS for object in objects]
    return found


CELLS = cells()


def test_every_route_is_in_the_table_with_its_declared_permission() -> None:
    """HUB 43: template, source and table have the same routes; permissions and roles are those written by hand."""
    in_source = {key: permission for function in hub_functions() for key, permission in declared(function).items()}

    assert set(TEMPLATE_ROUTES) == set(in_source) == set(ROUTES)
    assert in_source == {key: expected.permission for key, expected in ROUTES.items()}
    for key, expected in ROUTES.items():
        assert {role for role in ALLOWED if expected.permission in ALLOWED[role]} == expected.roles, key


def test_every_route_has_the_authorizer_for_its_callers() -> None:
    """HUB 43: keys are accepted on routes that machines may call, and nowhere else."""
    assert {
        route: "CallerAuthorizer" if "service" in expected.roles else "TokenAuthorizer"
        for route, expected in ROUTES.items()
    } == AUTHORIZERS


class World:
    """The objects of both tenants that the cells use."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.fixed = {
            tenant: {kind: self.make(kind, admin) for kind in ("connection_id", "key_id", "subject")}
            for tenant, admin in ((OURS, ADMIN), (THEIRS, THEIR_ADMIN))
        }
        made = {role: hub.new_key(channel="sms" if role == "service_of_channel" else None) for role in KEYS}
        assert hub.call("DELETE", f"/api-keys/{made['revoked_service']['id']}").status == 204
        self.keys = {role: machine(key["apiKey"]) for role, key in made.items()}
        self.deployments = {kind: self.make(kind, DEPLOYMENT_ADMIN) for kind in ("template_id", "tenant_id")}
        # A first call stores its caller's membership, even if it is refused.
        for caller in CALLERS.values():
            hub.call("GET", "/integrations", caller)

    def make(self, kind: str, caller: Caller) -> str:
        """A new object for a cell that changes it; returns its id."""
        if kind == "connection_id":
            return self.hub.created(caller).json["id"]
        if kind == "key_id":
            return self.hub.call("POST", "/api-keys", caller, {"name": f"key {token_hex(6)}"}).json["id"]
        if kind == "subject":
            return self.member(caller.tenant)
        path, body = ("/tenants", tenant()) if kind == "tenant_id" else ("/integrations/templates", self.template())
        reply = self.hub.call("POST", path, caller, body)
        assert reply.status == 201, reply
        return reply.json["id"]

    def member(self, tenant: str) -> str:
        """The subject of a tenant's staff."""
        staff = Caller("staff", tenant)
        assert self.hub.call("GET", "/integrations", staff).status == 200
        return claims_of(self.hub.token(staff) or "")["sub"]

    def template(self) -> dict[str, Any]:
        """The body of a new template."""
        shown = self.hub.call("GET", "/integrations/templates/softswiss", ADMIN).json
        return template_like(shown)


def tenant() -> dict[str, str]:
    """The body of a new tenant."""
    return {"code": f"T{token_hex(8).upper()}", "displayName": "A tenant"}


@pytest.fixture(scope="module")
def world(stack: Stack, hub: Hub) -> Iterator[World]:
    """The objects of both tenants; its client's calls stay in this process."""
    with InProcessHub(stack, hub.tokens) as inside:
        inside.seen = hub.seen
        yield World(inside)


BLOCK = {"startTime": "2026-01-31T14:00:00Z", "endTime": "2026-01-31T15:00:00Z"}


def kind_of(route: str) -> str:
    """The kind of a route's object: connection_id, key_id, template_id, tenant_id, subject, or '' for none."""
    return route.partition("{")[2].partition("}")[0]


def object_of(world: World, cell: Cell) -> str:
    """The id in the cell's path; if the call changes the tenant's own object, a new object."""
    kind = kind_of(cell.route)
    match cell.object:
        case "own" if kind in world.deployments:
            return world.deployments[kind]
        case "own" if cell.allowed and cell.role != "super_admin_without_tenant" and not cell.route.startswith("GET"):
            return world.make(kind, ADMIN)
        case "own":
            return world.fixed[OURS][kind]
        case "other":
            return world.fixed[THEIRS][kind]
        case "missing":
            return str(uuid4())
    return "malformed"


BODIES = {
    "POST /functions/v1/rate-limiter": {"key": "matrix", "action": "usage"},
    "POST /functions/v1/api-proxy": {"connection_id": str(uuid4()), "method": "GET", "path": "/players"},
    "PUT /integrations/{connection_id}/limits": {"minute": 50},
}


def body_of(world: World, route: str) -> Any:
    """A valid body for the route."""
    match route:
        case "POST /integrations/templates":
            return world.template()
        case "POST /integrations":
            return draft()
        case "POST /api-keys":
            return {"name": f"key {token_hex(6)}"}
        case "POST /tenants":
            return tenant()
        case "PATCH /tenants/{tenant_id}":
            return {"displayName": f"changed {token_hex(6)}"}
        case "PATCH /memberships/{subject}":
            # The person's present status: other cells use the same person.
            return {"status": "active"}
    if route in BODIES:
        return BODIES[route]
    if route.startswith("PATCH"):
        return {"description": f"changed {token_hex(6)}"}
    by_ending = {
        "authorize": {},
        "oauth-app": {"clientId": "app", "clientSecret": token_hex(16)},
        "rotate": {"config": {"api_key": token_hex(16)}},
        "block-slots": BLOCK,
    }
    return by_ending.get(route.rpartition("/")[2])


def method_of(route: str) -> str:
    """The method of the route's calls."""
    method = route.split(maxsplit=1)[0]
    return "GET" if method == "ANY" else method


def path_of(route: str, identity: str) -> str:
    """The route's path for an object."""
    path = route.split()[1].replace(f"{{{kind_of(route)}}}", identity).replace("{calendar_id}", "calendar1")
    path = path.replace("{run_id}", "00000000-0000-4000-8000-00000000000a").replace("{log_id}", str(2**62))
    path = path.replace("{proxy+}", "players")
    return path + ("?date=2026-01-31" if path.endswith("/free-slots") else "")


def made(world: World, cell: Cell, rows: Callable[..., list[Any]], hub: Hub | None = None) -> tuple[Reply, list[Any]]:
    """Make the cell's call; also returns the database's state just before it. hub: another client for the call."""
    caller = world.keys.get(cell.role, CALLERS[cell.role])
    headers = dict(caller.headers)
    kind = kind_of(cell.route)
    path = path_of(cell.route, object_of(world, cell) if kind else "")
    if not kind and cell.object == "other" and cell.role != "super_admin_without_tenant":
        # Only a super admin may name another tenant.
        headers["x-tenant-id"] = TENANTS[THEIRS]
    if path.endswith("/sync") and cell.object == "own":
        statement = "UPDATE integration_connections SET status = 'active' WHERE connection_id = %s"
        rows(statement, [path.split("/")[2]])
    if cell.route.startswith("PATCH /integrations/"):
        reader = DEPLOYMENT_ADMIN if kind == "template_id" else ADMIN
        own = cell.object == "own" and cell.allowed
        headers["if-match"] = world.hub.call("GET", path, reader).etag if own else '"1"'
    body = body_of(world, cell.route)
    before = rows(SNAPSHOT)
    caller = Caller(caller.role, caller.tenant, headers)
    return (hub or world.hub).call(method_of(cell.route), path, caller, body), before


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_cell(cell: Cell, world: World, rows: Callable[..., list[Any]]) -> None:
    """HUB 43: allowed callers are answered, others refused; another tenant's object is answered like a missing one."""
    expected = cell.expected
    reply, before = made(world, cell, rows)

    if cell.stopped:
        assert (reply.status, reply.json) == (401, {"message": "Unauthorized"})
    elif not cell.known:
        assert (reply.status, reply.code) == (401, "UNAUTHORIZED")
    elif not cell.allowed:
        assert reply.essence == (403, {"error": "Your role does not allow this", "code": "FORBIDDEN"})
    elif cell.role == "super_admin_without_tenant" and expected.deployments:
        assert reply.status == expected.status
        assert not [tenant for tenant in TENANTS.values() if tenant in reply.body.decode()]
    elif cell.role == "super_admin_without_tenant" and expected.tenants:
        found = (reply.status, reply.code)
        # A malformed id may be refused before the tenant is required.
        assert found == (400, "TENANT_REQUIRED") or (cell.object == "malformed" and found == (404, expected.missing))
    elif not kind_of(cell.route) and cell.object == "other" and cell.role not in SUPER_ADMINS:
        named = "X-Tenant-Id names another tenant than your own: leave it out"
        assert reply.essence == (404, {"error": named, "code": "TENANT_NOT_FOUND"})
    elif cell.object in ("missing", "malformed") or (cell.object == "other" and expected.missing):
        assert reply.essence == (404, {"error": SENTENCES[expected.missing], "code": expected.missing})
    else:
        assert reply.status == expected.status, reply
        check_whose(world, cell, reply)
        if cell.route.endswith("/sync"):
            # Otherwise it would finish during a later cell.
            world.hub.ended(reply.headers["location"])
    if reply.status >= 400 and reply.status != 422:
        assert rows(SNAPSHOT) == before


@pytest.mark.parametrize("route", TEMPLATE_ROUTES)
def test_route_gives_the_same_answer_over_http(
    route: str, world: World, hub: Hub, rows: Callable[..., list[Any]]
) -> None:
    """HUB 43: through the gateway's port and the function's own execution environment."""
    role = "tenant_admin" if "tenant_admin" in ROUTES[route].roles else "super_admin"
    cell = Cell(role, route, "own")
    reply, _ = made(world, cell, rows, hub)

    assert reply.status == cell.expected.status, reply
    check_whose(world, cell, reply)
    if route.endswith("/sync"):
        world.hub.ended(reply.headers["location"])


def check_whose(world: World, cell: Cell, reply: Reply) -> None:
    """Check that an answer has no objects of another tenant."""
    foreign = OURS if cell.role == "super_admin" and cell.object == "other" else THEIRS
    text = reply.body.decode()
    if cell.expected.tenants:
        assert not [identity for identity in (*world.fixed[foreign].values(), TENANTS[foreign]) if identity in text]
    if cell.role in ("staff", "service") and cell.expected.permission == "connections.list":
        assert "casino-1" not in text


@pytest.mark.parametrize("route", [route for route in TEMPLATE_ROUTES if kind_of(route) == "connection_id"])
def test_external_id_stands_for_the_id_on_every_route(route: str, world: World, rows: Callable[..., list[Any]]) -> None:
    """HUB 43, 52: another tenant's answers like an unknown one, also where it is the same text as one's own."""
    external_id = f"own-{token_hex(6)}"
    path, method = path_of(route, f"ext:{external_id}"), method_of(route)
    body = body_of(world, route)
    theirs = world.hub.created(THEIR_ADMIN, externalId=external_id).json
    before = rows(SNAPSHOT)
    refused = world.hub.call(method, path, ADMIN, body, if_match="*")
    unchanged = rows(SNAPSHOT) == before
    ours = world.hub.created(ADMIN, externalId=external_id).json
    if route.endswith("/sync"):
        rows("UPDATE integration_connections SET status = 'active' WHERE connection_id = %s", [ours["id"]])
    reply = world.hub.call(method, path, ADMIN, body, if_match="*")

    assert refused.essence == (404, {"error": SENTENCES[NO_CONNECTION], "code": NO_CONNECTION})
    assert unchanged
    assert reply.status == ROUTES[route].status, reply
    assert theirs["id"] not in reply.body.decode()
    if route.endswith("/sync"):
        world.hub.ended(reply.headers["location"])


@pytest.mark.parametrize("route", KEY_ROUTES)
def test_another_tenants_key_finds_nothing(route: str, world: World, rows: Callable[..., list[Any]]) -> None:
    """HUB 43: naming our tenant in a header, as a super admin does, does not help."""
    key = world.hub.new_key(THEIR_ADMIN)["apiKey"]
    before = rows(SNAPSHOT)
    path = path_of(route, world.fixed[OURS]["connection_id"])
    method, body = method_of(route), body_of(world, route)
    named = world.hub.call(method, path, machine(key), body, **{"x-tenant-id": TENANTS[OURS]})
    reply = world.hub.call(method, path, machine(key), body, **{"x-tenant-id": TENANTS[THEIRS].upper()})

    assert (named.status, named.code) == (404, "TENANT_NOT_FOUND")

    if "{" in route or route.endswith("/api-proxy"):
        assert reply.essence == (404, {"error": SENTENCES[NO_CONNECTION], "code": NO_CONNECTION})
    else:
        text = reply.body.decode()
        assert reply.status == 200
        own = {"GET /me": TENANTS[THEIRS], "POST /functions/v1/rate-limiter": '"used":0'}
        assert own.get(route, world.fixed[THEIRS]["connection_id"]) in text
        assert not [identity for identity in (*world.fixed[OURS].values(), TENANTS[OURS]) if identity in text]
    assert rows(SNAPSHOT) == before


@pytest.mark.parametrize("route", [route for route in TEMPLATE_ROUTES if "{" in route])
@pytest.mark.parametrize("malformed", MALFORMED)
def test_malformed_id_is_not_found(world: World, route: str, malformed: str) -> None:
    """HUB 43, 52: an encoded slash makes a path without a route, and no id contains NUL."""
    method = method_of(route)
    body = body_of(world, route) if method in ("POST", "PUT", "PATCH") else None
    caller = SUPER_ADMIN if "super_admin" in ROUTES[route].roles else ADMIN
    reply = world.hub.call(method, path_of(route, malformed), caller, body, if_match='"1"')

    expected = (404, ROUTES[route].missing)
    others = {"%00": (400, "INVALID_REQUEST"), "..%2F..%2Faudit": (404, NO_CONNECTION if "+}" in route else "")}
    assert (reply.status, reply.code) == others.get(malformed, expected), reply
