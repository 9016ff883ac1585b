"""A change whose commit's answer is lost: 503, and a retry with the same key gets the first answer (HUB 50)."""

from collections.abc import Callable, Iterator
from secrets import token_hex
from time import monotonic, sleep
from typing import Any
from urllib.parse import urlsplit

import pytest

from local.services.demo_data import TENANTS
from local.stack import Stack
from tests.database.cutting_proxy import CuttingProxy
from tests.hub import oauth
from tests.hub.changing_routes import CHANGES, CREATIONS, api_key, template, tenant
from tests.hub.client import ADMIN, DEPLOYMENT_ADMIN, OURS, REGULATOR, Caller, Hub, Reply, claims_of
from tests.hub.conftest import Platform
from tests.hub.creations import CALENDAR, MAKERS, SLOT, died
from tests.hub.in_process import InProcessHub
from tests.hub.objects import calendars, new_template, working

Rows = Callable[..., list[Any]]
# More than any call's number of COMMITs: after that many there is no answer left to lose.
_MOST_COMMITS = 12


class Losing:
    """The hub in this process, with a database whose answers can be lost."""

    def __init__(self, hub: InProcessHub, proxy: CuttingProxy, platform: Platform, rows: Rows) -> None:
        self.hub = hub
        self.proxy = proxy
        self.platform = platform
        self.rows = rows

    def made(self) -> Reply:
        """Create a connection that works."""
        made = self.hub.call("POST", "/integrations", body=working(self.platform, f"key-{token_hex(8)}"))
        assert made.json["status"] == "active", made
        return made

    def new_secret(self) -> dict[str, Any]:
        """A new secret that the platform accepts, as the body gives it."""
        key = f"key-{token_hex(8)}"
        self.platform.keys.add(key)
        return {"config": {"api_key": key}}

    def lost(self, number: int, *call: Any, arrives: bool = True, **headers: Any) -> Reply:
        """Make a call whose n-th COMMIT gets no answer, or does not arrive."""
        before = self.proxy.lost
        self.proxy.lose_commit(number, arrives=arrives)
        reply = self.hub.call(*call, **headers)
        self.proxy.lose_commit(0)
        assert self.proxy.lost in (before, before + 1)
        return reply


@pytest.fixture(scope="module")
def proxied(hub: Hub, stack: Stack) -> Iterator[tuple[InProcessHub, CuttingProxy]]:
    """The hub in this process, with a proxy before its database."""
    with CuttingProxy(stack.database_urls["hub"]) as proxy:
        port = str(urlsplit(proxy.url).port)
        changes = {"DATABASE_HOST": "127.0.0.1", "DATABASE_PORT": port, "EGRESS_ALLOWED_HOSTS": "127.0.0.1"}
        with InProcessHub(stack, hub.tokens, **changes) as inside:
            yield inside, proxy


@pytest.fixture
def losing(proxied: tuple[InProcessHub, CuttingProxy], platform: Platform, rows: Rows) -> Losing:
    """The hub with a database whose answers can be lost, and a platform."""
    return Losing(*proxied, platform, rows)


# A call, and its If-Match if it has one.
Call = tuple[str, str, Caller, Any, str | None]


def connection_call(method: str, end: str, body: Callable[[Losing], Any] = lambda _: None) -> Callable[[Losing], Call]:
    def call(losing: Losing) -> Call:
        made = losing.made()
        return method, made.headers["location"] + end, ADMIN, body(losing), made.etag

    return call


def enabling(losing: Losing) -> Call:
    path = losing.made().headers["location"]
    disabled = losing.hub.call("POST", f"{path}/disable")
    return "POST", f"{path}/enable", ADMIN, None, disabled.etag


def rolling_back(losing: Losing) -> Call:
    path = losing.made().headers["location"]
    rotated = losing.hub.call("POST", f"{path}/credentials/rotate", body=losing.new_secret())
    assert rotated.status == 200, rotated
    return "POST", f"{path}/credentials/rollback", ADMIN, None, rotated.etag


def membership(losing: Losing) -> Call:
    subject = claims_of(losing.hub.token(REGULATOR) or "")["sub"]
    assert losing.hub.call("GET", "/integrations", REGULATOR).status == 200
    [row] = losing.rows("SELECT version FROM memberships WHERE subject = %s", [subject])
    return "PATCH", f"/memberships/{subject}", ADMIN, {"status": "suspended"}, f'"{row.version}"'


def blocking(losing: Losing) -> Call:
    made = losing.hub.call("POST", "/integrations", body=calendars())
    assert made.json["status"] == "active", made
    return "POST", f"{made.headers['location']}/calendars/{CALENDAR}/block-slots", ADMIN, SLOT, made.etag


def authorizing(losing: Losing) -> Call:
    path = oauth.waiting(losing.hub, "google_analytics")
    return "POST", f"{path}/authorize", ADMIN, {}, losing.hub.call("GET", path).etag


def completing(losing: Losing) -> Call:
    path = oauth.waiting(losing.hub, "google_analytics")
    oauth.Flow(losing.hub, path).returned()
    return "POST", f"{path}/authorize/complete", ADMIN, None, losing.hub.call("GET", path).etag


def setting_app(_: Losing) -> Call:
    body = {"clientId": token_hex(8), "clientSecret": token_hex(8)}
    return "PUT", "/integrations/templates/linkedin/oauth-app", DEPLOYMENT_ADMIN, body, None


def template_change(losing: Losing) -> Call:
    path = template(losing.hub)
    etag = losing.hub.call("GET", path, DEPLOYMENT_ADMIN).etag
    return "PATCH", path, DEPLOYMENT_ADMIN, {"description": "x"}, etag


# The call for each route; some routes have more than one way to do their work.
CALLS: dict[str, Callable[[Losing], Call]] = {
    "PATCH /integrations/{connection_id}": connection_call("PATCH", "", lambda _: {"description": "x"}),
    "PATCH /integrations/{connection_id} with secrets": connection_call("PATCH", "", Losing.new_secret),
    "DELETE /integrations/{connection_id}": connection_call("DELETE", ""),
    "POST /integrations/{connection_id}/test": connection_call("POST", "/test"),
    "POST /integrations/{connection_id}/sync": connection_call("POST", "/sync"),
    "POST /integrations/{connection_id}/enable": enabling,
    "POST /integrations/{connection_id}/disable": connection_call("POST", "/disable"),
    "PUT /integrations/{connection_id}/limits": connection_call("PUT", "/limits", lambda _: {"minute": 50}),
    "POST /integrations/{connection_id}/credentials/rotate": connection_call(
        "POST", "/credentials/rotate", Losing.new_secret
    ),
    "POST /integrations/{connection_id}/credentials/rollback": rolling_back,
    "POST /integrations/{connection_id}/calendars/{calendar_id}/block-slots": blocking,
    "POST /integrations/{connection_id}/authorize": authorizing,
    "POST /integrations/{connection_id}/authorize/complete": completing,
    "PUT /integrations/templates/{template_id}/oauth-app": setting_app,
    "PATCH /integrations/templates/{template_id}": template_change,
    "PATCH /tenants/{tenant_id}": lambda losing: (
        *("PATCH", tenant(losing.hub), DEPLOYMENT_ADMIN),
        *({"displayName": "Another"}, '"1"'),
    ),
    "PATCH /memberships/{subject}": membership,
    "DELETE /api-keys/{key_id}": lambda losing: ("DELETE", api_key(losing.hub), ADMIN, None, '"1"'),
    "POST /integrations": lambda losing: (
        *("POST", "/integrations", ADMIN),
        *(working(losing.platform, f"key-{token_hex(8)}"), None),
    ),
    "POST /integrations/templates": lambda losing: (
        *("POST", "/integrations/templates", DEPLOYMENT_ADMIN),
        *(new_template(losing.hub), None),
    ),
    "POST /tenants": lambda losing: ("POST", *MAKERS["tenant"](losing.hub, ""), None),
    "POST /api-keys": lambda losing: ("POST", *MAKERS["api key"](losing.hub, ""), None),
}
_SHOWN_ONCE = {"apiKey", "url", "test", "nextAction", "name", "email", "emailVerified"}
EXPECTED = {"POST": (200, 201, 202), "PATCH": (200,), "PUT": (200,), "DELETE": (204,)}
_LAST_ENTRY = "SELECT max(at) AS at FROM audit_log"
# Entries that are in the audit log twice; a connection may be tested again.
_TWICE = """
    SELECT tenant_id, action, object_id FROM audit_log WHERE at > %s AND action <> 'connection.tested'
    GROUP BY tenant_id, action, object_id HAVING count(*) > 1
"""


def test_table_has_every_changing_route() -> None:
    assert {name.removesuffix(" with secrets") for name in CALLS} == CHANGES.keys() | CREATIONS.keys()


@pytest.fixture
def restored(rows: Rows) -> Iterator[None]:
    """After each test the regulator is restored, and no sync is left that would run during another test.

    A sync whose COMMIT got no answer is in no queue, and would wait for the sweep.
    """
    yield
    rows("UPDATE memberships SET status = 'active' WHERE status = 'suspended'")
    rows(
        "UPDATE sync_runs SET status = 'failed', reason = 'NO_ENGINE', ended_at = now() "
        "WHERE status = 'queued' AND tenant_id = %s",
        [TENANTS[OURS]],
    )
    deadline = monotonic() + 30
    while rows("SELECT run_id FROM sync_runs WHERE status = 'running'"):
        assert monotonic() < deadline
        sleep(0.05)


# For these, the COMMIT itself may be lost too: they have several COMMITs with a call to a platform between them.
_IN_PARTS = ("POST /integrations/{connection_id}/enable", "POST /integrations")
_ACTS = "POST /integrations/{connection_id}/calendars/{calendar_id}/block-slots"


@pytest.mark.usefixtures("restored")
@pytest.mark.parametrize(
    ("route", "arrives"), [*((route, True) for route in CALLS), *((route, False) for route in (*_IN_PARTS, _ACTS))]
)
def test_retry_after_a_lost_answer_gets_the_first_answer(
    losing: Losing, rows: Rows, route: str, *, arrives: bool
) -> None:
    """Whichever COMMIT's answer is lost: the call is done once, and never refused because of its own work."""
    number, cut = 0, True
    while cut:
        number += 1
        assert number < _MOST_COMMITS
        method, path, caller, body, tag = CALLS[route](losing)
        headers: dict[str, Any] = {"idempotency_key": token_hex(8)} | ({} if tag is None else {"if_match": tag})
        before, since = losing.proxy.lost, rows(_LAST_ENTRY)[0].at
        first = losing.lost(number, method, path, caller, body, arrives=arrives, **headers)
        cut = losing.proxy.lost > before
        again, third = (losing.hub.call(method, path, caller, body, **headers) for _ in range(2))

        # A platform's action cannot be undone, and the logs of its calls may be lost.
        assert first.status in (503, *EXPECTED[method]), (number, first)
        assert again.status in EXPECTED[method], (number, first, again)
        assert _kept(third) == _kept(again)
        assert third.headers["idempotent-replay"] == "true"
        if first.status != 503:
            assert _kept(again) == _kept(first)
        assert rows(_TWICE, [since]) == []
        _check_version(path, again, tag)
        rows("UPDATE memberships SET status = 'active' WHERE status = 'suspended'")
    assert number > 2


def _kept(reply: Reply) -> tuple[int, str | None, dict[str, Any]]:
    """The part of an answer that a replay repeats."""
    shown = reply.json if reply.body else {}
    return reply.status, reply.headers.get("etag"), {name: shown[name] for name in shown.keys() - _SHOWN_ONCE}


def _check_version(path: str, reply: Reply, tag: str | None) -> None:
    """It was increased once."""
    changes_version = tag is not None and "etag" in reply.headers and not path.endswith(("/test", "/sync"))
    if changes_version:
        assert int(reply.etag.strip('"')) == int(str(tag).strip('"')) + 1


def test_lost_claim_does_not_release_a_key_whose_platform_may_have_acted(losing: Losing, rows: Rows) -> None:
    """An attempt died after its call to the platform; the answer to the next attempt's claim is lost."""
    method, path, caller, body, _ = blocking(losing)
    key = token_hex(8)
    replies = [losing.hub.call(method, path, caller, body, idempotency_key=key)]
    died(rows, key)
    replies.append(losing.lost(1, method, path, caller, body, idempotency_key=key))
    rows("UPDATE idempotency_keys SET leased_until = now() WHERE idempotency_key = %s", [key])
    replies.append(losing.hub.call(method, path, caller, body, idempotency_key=key))

    assert [(reply.status, reply.code) for reply in replies] == [
        (201, ""),
        (503, "UNAVAILABLE"),
        (502, "PROVIDER_OUTCOME_UNKNOWN"),
    ]


def test_creation_interrupted_before_its_test_is_tested_by_the_retry(losing: Losing) -> None:
    """The connection was committed and the answer lost: the retry must test it."""
    statuses = []
    for number in range(1, 6):
        body, key = working(losing.platform, f"key-{token_hex(8)}"), token_hex(8)
        losing.lost(number, "POST", "/integrations", ADMIN, body, idempotency_key=key)
        statuses.append(losing.hub.call("POST", "/integrations", ADMIN, body, idempotency_key=key).json["status"])

    assert statuses == ["active"] * 5


def test_retry_of_a_creation_succeeds_after_the_object_was_deleted(losing: Losing, rows: Rows) -> None:
    """Or with the first answer; it is never refused because of its name, and nothing is created again."""
    named = "SELECT connection_id::text AS id, status FROM integration_connections WHERE name = %s"
    lost = set()
    for number in range(2, 8):
        body, key = working(losing.platform, f"key-{token_hex(8)}"), token_hex(8)
        first = losing.lost(number, "POST", "/integrations", ADMIN, body, idempotency_key=key)
        made = rows(named, [body["name"]])
        if first.status == 503 and made:
            lost.add(made[0].status)
            deleted = losing.hub.call("DELETE", f"/integrations/{made[0].id}")
            again = losing.hub.call("POST", "/integrations", ADMIN, body, idempotency_key=key)
            assert (deleted.status, again.status, again.json["id"]) == (204, 201, made[0].id)
            assert len(rows(named, [body["name"]])) == 1
    # The lost answers are those of the connection's COMMIT and of its test's.
    assert lost == {"pending", "active"}


def test_connection_deleted_during_its_test_is_answered_and_keeps_its_key(losing: Losing, rows: Rows) -> None:
    body, key = working(losing.platform, f"key-{token_hex(8)}"), token_hex(8)

    def delete() -> None:
        rows("UPDATE integration_connections SET deleted_at = now(), version = 2 WHERE name = %s", [body["name"]])

    losing.platform.meanwhile = delete
    replies = [losing.hub.call("POST", "/integrations", ADMIN, body, idempotency_key=key) for _ in range(2)]

    assert [reply.status for reply in replies] == [201, 201]
    assert replies[0].json["id"] == replies[1].json["id"]
    assert len(rows("SELECT name FROM integration_connections WHERE name = %s", [body["name"]])) == 1


def test_caller_suspended_during_a_creation_does_not_create_another_later(
    losing: Losing, rows: Rows, someone: Callable[..., str]
) -> None:
    person = Caller(None, headers={"authorization": f"Bearer {someone('tenant_admin')}"})
    body, key = working(losing.platform, f"key-{token_hex(8)}"), token_hex(8)
    status = "UPDATE memberships SET status = %s WHERE subject = %s"
    subject = claims_of(person.headers["authorization"])["sub"]
    losing.platform.meanwhile = lambda: rows(status, ["suspended", subject])
    refused = losing.hub.call("POST", "/integrations", person, body, idempotency_key=key)
    losing.platform.meanwhile = lambda: None
    rows(status, ["active", subject])
    rows("UPDATE idempotency_keys SET leased_until = now() WHERE idempotency_key = %s", [key])
    again = losing.hub.call("POST", "/integrations", person, body, idempotency_key=key)

    assert (refused.status, again.status, again.json["status"]) == (403, 201, "active")
    assert len(rows("SELECT name FROM integration_connections WHERE name = %s", [body["name"]])) == 1


def test_interrupted_enabling_continues_and_does_not_undo_later_changes(losing: Losing) -> None:
    results = []
    for meanwhile in ("", "/disable"):
        method, path, caller, body, etag = enabling(losing)
        headers: dict[str, Any] = {"idempotency_key": token_hex(8), "if_match": etag}
        first = losing.lost(3, method, path, caller, body, **headers)
        if meanwhile:
            losing.hub.call("POST", path.replace("/enable", meanwhile))
        again = losing.hub.call(method, path, caller, body, **headers)
        results.append((first.status, again.status, again.json["status"]))

    assert results == [(503, 200, "active"), (503, 200, "disconnected")]


def test_retry_of_a_creation_gives_the_first_answer_after_a_later_change(losing: Losing) -> None:
    """The creation's answer was lost."""
    for route, change in (
        ("POST /tenants", {"displayName": "Renamed"}),
        ("POST /integrations/templates", {"description": "x"}),
    ):
        method, path, caller, body, _ = CALLS[route](losing)
        key = token_hex(8)
        first = losing.lost(2, method, path, caller, body, idempotency_key=key)
        again = losing.hub.call(method, path, caller, body, idempotency_key=key)
        changed = losing.hub.call("PATCH", again.headers["location"], caller, change, if_match='"1"')
        third = losing.hub.call(method, path, caller, body, idempotency_key=key)

        assert (first.status, again.status, changed.status) == (503, 201, 200)
        assert third.essence == again.essence


def test_replay_has_no_name_and_email_of_a_person(losing: Losing, rows: Rows) -> None:
    """Personal data has one place: the answer that is stored with a key has none."""
    method, path, caller, body, _ = membership(losing)
    subject, key = path.rsplit("/", 1)[-1], token_hex(8)
    rows("UPDATE memberships SET name = 'Ada Example', email = 'ada@example.com' WHERE subject = %s", [subject])
    try:
        first, again = (losing.hub.call(method, path, caller, body, idempotency_key=key) for _ in range(2))
        [kept] = rows("SELECT k::text AS text FROM idempotency_keys AS k WHERE idempotency_key = %s", [key])
    finally:
        rows("UPDATE memberships SET status = 'active' WHERE subject = %s", [subject])

    assert (first.json["name"], first.json["email"]) == ("Ada Example", "ada@example.com")
    assert (again.status, again.json["name"], again.json["email"]) == (200, None, None)
    assert "Ada" not in kept.text
    assert "ada@example.com" not in kept.text
