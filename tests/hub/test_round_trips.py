"""The number of database statements per route, counted in libpq's own trace, has a bound."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex
from typing import Any
from uuid import UUID, uuid4

import pytest
from psycopg.pq import Trace

from causeway.syncs import listing
from causeway.vault import data_keys
from causeway.wire.example_ids import LOCATION_ID
from local.stack import Stack
from tests.hub.client import ADMIN, Caller, Hub, Reply, machine
from tests.hub.conftest import Platform
from tests.hub.in_process import InProcessHub
from tests.hub.objects import calendars, working

# A statement sent to the server: a Parse, or a simple query.
_SENT = re.compile(r'^F\t\d+\t(Parse|Query)\t (?:"")?\s*"?\s*(\w+)', re.MULTILINE)
# They frame a transaction, and are not counted.
_FRAMES = {"BEGIN", "COMMIT", "ROLLBACK"}


class CountingHub:
    """The hub in this process; the functions' database connections are traced during a call."""

    def __init__(self, hub: InProcessHub, folder: Path) -> None:
        self.hub = hub
        self._folder = folder

    def count(
        self, method: str, path: str, caller: Caller = ADMIN, body: Any = None, **headers: Any
    ) -> tuple[int, Reply]:
        """Make a call; returns the number of its statements, and its answer."""
        # As in an execution environment without cached data keys.
        data_keys.current.cache_clear()
        connections = self._connections()
        trace = self._folder / token_hex(8)
        with trace.open("w") as file:
            for connection in connections:
                connection.pgconn.trace(file.fileno())
                connection.pgconn.set_trace_flags(Trace.SUPPRESS_TIMESTAMPS)
            reply = self.hub.call(method, path, caller, body, **headers)
            for connection in connections:
                connection.pgconn.untrace()
        assert set(self._connections()) == set(connections), "a connection that was made meanwhile was not traced"
        statements = [word.upper() for _, word in _SENT.findall(trace.read_text(errors="replace"))]
        assert "BEGIN" in statements, "nothing was traced"
        return len([word for word in statements if word not in _FRAMES]), reply

    def _connections(self) -> list[Any]:
        return [one for one in self.hub._functions._connections.values() if one is not None and not one.closed]


@pytest.fixture(scope="module")
def counting(hub: Hub, stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CountingHub]:
    """The hub after one call of each function, so that each has its database connection."""
    with InProcessHub(stack, hub.tokens, EGRESS_ALLOWED_HOSTS="127.0.0.1") as inside:
        for path in ("/integrations", "/integrations/templates", "/api-keys", "/memberships", "/me", "/audit"):
            assert inside.call("GET", path).status == 200
        path = f"/integrations/{inside.call('POST', '/integrations', body=calendars()).json['id']}"
        assert inside.call("GET", f"{path}/syncs").status == 200
        assert inside.call("GET", f"{path}/calendars").status == 200
        yield CountingHub(inside, tmp_path_factory.mktemp("traces"))


@pytest.fixture
def path(counting: CountingHub, platform: Platform) -> str:
    """The path of a new connection that works."""
    made = counting.hub.call("POST", "/integrations", body=working(platform))
    assert made.json["status"] == "active", made
    return f"/integrations/{made.json['id']}"


def test_creating_a_connection_takes_few_statements(counting: CountingHub, platform: Platform) -> None:
    """With an Idempotency-Key, and without a cached data key; one of them counts the test call in the rate limit."""
    count, made = counting.count("POST", "/integrations", body=working(platform), idempotency_key=token_hex(8))

    assert (made.status, made.json["status"]) == (201, "active")
    assert count <= 21


# By name: the bound, the call, and whether it has If-Match.
ROUTES: dict[str, tuple[int, str, str, Any, bool]] = {
    "test": (14, "POST", "{path}/test", None, False),
    "list": (4, "GET", "/integrations", None, False),
    "get": (4, "GET", "{path}", None, False),
    "rename": (4, "PATCH", "{path}", {"description": "counted"}, True),
    "change": (14, "PATCH", "{path}", {"config": {"casino_id": "casino-2"}}, True),
    "rotate": (21, "POST", "{path}/credentials/rotate", {"config": {"api_key": "second"}}, False),
    "limits": (2, "GET", "{path}/limits", None, False),
    "change of limits": (5, "PUT", "{path}/limits", {"minute": 50}, True),
    "disable": (4, "POST", "{path}/disable", None, False),
    "enable": (13, "POST", "{path}/enable", None, False),
    "delete": (8, "DELETE", "{path}", None, False),
    "sync": (4, "POST", "{path}/sync", None, False),
    "logs": (3, "GET", "{path}/logs", None, False),
    "health": (3, "GET", "{path}/health", None, False),
    "templates": (2, "GET", "/integrations/templates", None, False),
    "memberships": (2, "GET", "/memberships", None, False),
    "me": (2, "GET", "/me", None, False),
    "API keys": (2, "GET", "/api-keys", None, False),
    "audit": (3, "GET", "/audit", None, False),
    "syncs": (3, "GET", "{path}/syncs", None, False),
}


@pytest.mark.parametrize("route", ROUTES)
def test_route_takes_few_statements(counting: CountingHub, platform: Platform, path: str, route: str) -> None:
    bound, method, where, body, versioned = ROUTES[route]
    platform.keys.add("second")
    headers = {"if_match": counting.hub.call("GET", path).etag} if versioned else {}
    count, reply = counting.count(method, where.format(path=path), ADMIN, body, **headers)

    assert reply.status < 300, reply
    assert count <= bound


@pytest.mark.parametrize("route", [name for name in ROUTES if "{path}" in ROUTES[name][2]])
def test_external_id_takes_no_statement_of_its_own(
    counting: CountingHub, platform: Platform, path: str, route: str
) -> None:
    """The statement that reads the connection finds it by either id; only the log's list reads none."""
    bound, method, where, body, versioned = ROUTES[route]
    platform.keys.add("second")
    external_id = f"own-{token_hex(6)}"
    etag = counting.hub.call("PATCH", path, body={"externalId": external_id}, if_match="*").etag
    external = where.format(path=f"/integrations/ext:{external_id}")
    count, reply = counting.count(method, external, ADMIN, body, **({"if_match": etag} if versioned else {}))

    assert reply.status < 300, reply
    assert count <= bound + (route == "logs")


def test_one_call_of_the_log_takes_few_statements(counting: CountingHub, path: str) -> None:
    """One reads the call, one its bodies."""
    [made] = counting.hub.call("GET", f"{path}/logs").json["logs"]
    count, reply = counting.count("GET", f"{path}/logs/{made['id']}")

    assert reply.json == made
    assert count <= 3


def test_cursor_takes_no_statement_of_its_own(counting: CountingHub, path: str) -> None:
    """A cursor carries the sort key of the last row: nobody looks the row up."""
    scope, key = UUID(path.rpartition("/")[2]), (datetime.now(UTC), uuid4())
    first, without = counting.count("GET", f"{path}/syncs")
    for backwards in (False, True):
        cursor = listing.PAGES.listing.cursor(scope, key, backwards=backwards)
        another, with_cursor = counting.count("GET", f"{path}/syncs?cursor={cursor}")

        assert (without.status, with_cursor.status) == (200, 200)
        assert another == first


def test_putting_secrets_back_takes_few_statements(counting: CountingHub, platform: Platform, path: str) -> None:
    platform.keys.add("second")
    rotated = counting.hub.call("POST", f"{path}/credentials/rotate", body={"config": {"api_key": "second"}})
    count, reply = counting.count("POST", f"{path}/credentials/rollback")

    assert (rotated.status, reply.status) == (200, 200)
    assert count <= 20


def test_use_of_a_connection_takes_few_statements(counting: CountingHub) -> None:
    """One transaction reads, one statement counts the call in the rate limit, another transaction writes the log.

    Two read the data key; an execution environment has it cached after its first call.
    """
    made = counting.hub.call("POST", "/integrations", body=calendars())
    count, reply = counting.count("GET", f"/integrations/{made.json['id']}/calendars")

    assert reply.status == 200, reply
    assert count <= 6 + 2


def test_idempotency_key_takes_two_statements_before_the_work(counting: CountingHub) -> None:
    """One claims the key, one opens the transaction; a list adds one."""
    caller = machine(counting.hub.new_key()["apiKey"])
    counting.hub.call("GET", "/integrations", caller)
    count, reply = counting.count("GET", "/integrations", caller)

    assert reply.status == 200
    assert count <= 3


def test_replay_takes_two_statements(counting: CountingHub, path: str) -> None:
    key = token_hex(8)
    counting.hub.call("POST", f"{path}/sync", idempotency_key=key)
    count, reply = counting.count("POST", f"{path}/sync", idempotency_key=key)

    assert reply.headers["idempotent-replay"] == "true"
    assert count == 2


def test_proxied_call_takes_few_statements(counting: CountingHub) -> None:
    """Opening the transaction, the connection and its credential, the rate limit, the log: six with a warm data key.

    Two more read the data key here.
    """
    made = counting.hub.call("POST", "/integrations", body=calendars())
    counting.hub.call("GET", f"/proxy/{made.json['id']}/locations/{LOCATION_ID}")
    count, reply = counting.count("GET", f"/proxy/{made.json['id']}/locations/{LOCATION_ID}")

    assert reply.status == 200, reply
    assert count <= 6 + 2
