"""Idempotency-Key: the first answer is repeated and nothing is done twice, whatever happened in between (HUB 50)."""

import json
from collections.abc import Callable, Iterator
from secrets import token_hex
from typing import Any

import pytest

from causeway.database import idempotency
from causeway.database.postgres import Database
from causeway.wire import strict_json
from local.sandbox.registry import demo_credentials
from local.services.demo_data import TENANTS
from local.stack import Stack
from tests.database.parallel import at_once
from tests.hub.client import DEPLOYMENT_ADMIN, OURS, Caller, Hub, Reply, draft, machine
from tests.hub.creations import CALENDAR, MAKERS, SLOT, died
from tests.hub.in_process import InProcessHub
from tests.hub.objects import new_template
from tests.platforms.played import Played

Rows = Callable[..., list[Any]]


@pytest.fixture
def gohighlevel(stack: Stack) -> Iterator[Played]:
    gohighlevel = Played(stack.info["sandbox_url"], "gohighlevel")
    yield gohighlevel
    gohighlevel.recover()


@pytest.fixture(scope="module")
def calendar(hub: Hub) -> str:
    """The path of a calendar of a connection to GoHighLevel."""
    config = demo_credentials("gohighlevel")
    body = {"templateId": "gohighlevel", "name": f"Calendars {token_hex(6)}", "config": config}
    made = hub.call("POST", "/integrations", body=body)
    assert made.json["status"] == "active", made
    return f"/integrations/{made.json['id']}/calendars/{CALENDAR}"


@pytest.fixture(params=MAKERS)
def maker(request: pytest.FixtureRequest, hub: Hub, calendar: str) -> tuple[str, Caller, Any]:
    """A call that creates something: path, caller, body."""
    return MAKERS[request.param](hub, calendar)


def made(hub: Hub, maker: tuple[str, Caller, Any], key: str) -> Reply:
    path, caller, body = maker
    return hub.call("POST", path, caller, body, idempotency_key=key)


def test_same_key_and_body_get_the_first_answer(hub: Hub, maker: tuple[str, Caller, Any], gohighlevel: Played) -> None:
    key = token_hex(8)
    first = made(hub, maker, key)
    calls = gohighlevel.calls
    again = made(hub, maker, key)

    assert first.status in (201, 202), first
    assert again.status == first.status
    assert again.headers["idempotent-replay"] == "true"
    for name in ("location", "etag"):
        assert again.headers.get(name) == first.headers.get(name)
    shown_once = {"apiKey", "nextAction"}
    assert {name: value for name, value in again.json.items() if name not in shown_once} == {
        name: value for name, value in first.json.items() if name not in shown_once
    }
    assert gohighlevel.calls == calls


def test_same_key_with_another_body_or_route_is_refused(hub: Hub, maker: tuple[str, Caller, Any]) -> None:
    path, caller, body = maker
    key = token_hex(8)
    assert made(hub, maker, key).status < 300
    other = "/api-keys" if path != "/api-keys" else "/integrations"
    replies = [hub.call("POST", other, caller, {"name": "another"}, idempotency_key=key)]
    if body is not None:
        replies.append(hub.call("POST", path, caller, body | {"name": "another"}, idempotency_key=key))
    if caller == DEPLOYMENT_ADMIN:
        replies = replies[1:]

    assert {(reply.status, reply.code) for reply in replies} == {(409, "IDEMPOTENCY_KEY_REUSED")}


@pytest.mark.parametrize(("first", "other"), [("1.5", 1.5), (1.5, "1.5"), ("1e3", 1e3), ({"a": "2.5"}, {"a": 2.5})])
def test_text_and_number_with_the_same_spelling_are_different_requests(first: Any, other: Any) -> None:
    digests = [
        idempotency.KeyedRequest.of(
            "key", strict_json.parse_object(json.dumps({"name": value}).encode()), b"secret"
        ).digest
        for value in (first, first, other)
    ]

    assert digests[0] == digests[1] != digests[2]


def test_first_answer_is_repeated_after_the_object_was_changed_and_deleted(hub: Hub) -> None:
    """Before any other check whose result has changed: the name is in use, the object is deleted."""
    key, body = token_hex(8), draft()
    first = hub.call("POST", "/integrations", body=body, idempotency_key=key)
    path = first.headers["location"]
    hub.call("PATCH", path, body={"description": "changed"}, if_match=first.etag)
    changed = hub.call("POST", "/integrations", body=body, idempotency_key=key)
    hub.call("DELETE", path)
    deleted = hub.call("POST", "/integrations", body=body, idempotency_key=key)

    assert (changed.status, changed.json) == (deleted.status, deleted.json) == (201, first.json)
    assert hub.call("GET", path).status == 404


def test_first_answer_is_repeated_after_the_template_was_deactivated(hub: Hub) -> None:
    own, key = new_template(hub), token_hex(8)
    made = hub.call("POST", "/integrations/templates", DEPLOYMENT_ADMIN, own)
    body = draft(templateId=own["id"])
    first = hub.call("POST", "/integrations", body=body, idempotency_key=key)
    off = hub.call("PATCH", made.headers["location"], DEPLOYMENT_ADMIN, {"isActive": False}, if_match=made.etag)
    again = hub.call("POST", "/integrations", body=body, idempotency_key=key)

    assert (first.status, off.status) == (201, 200)
    assert again.essence == first.essence


@pytest.mark.parametrize("end", ["disable", "enable", "test"])
def test_changing_routes_honour_the_key_too(hub: Hub, end: str) -> None:
    path, key = hub.connection(), token_hex(8)
    first = hub.call("POST", f"{path}/{end}", idempotency_key=key)
    again = hub.call("POST", f"{path}/{end}", idempotency_key=key)

    assert first.status == 200
    assert (again.essence, again.headers["etag"]) == (first.essence, first.headers["etag"])
    assert "idempotent-replay" not in first.headers
    assert again.headers["idempotent-replay"] == "true"


def test_repeated_deletion_and_change_get_the_first_answer(hub: Hub) -> None:
    made, keys = hub.created(), [token_hex(8) for _ in range(2)]
    path = made.headers["location"]
    changes = [
        hub.call("PATCH", path, body={"description": "x"}, if_match=made.etag, idempotency_key=keys[0])
        for _ in range(2)
    ]
    deletions = [hub.call("DELETE", path, idempotency_key=keys[1]) for _ in range(2)]

    assert changes[0].essence == changes[1].essence
    assert changes[0].status == 200
    assert [reply.status for reply in deletions] == [204, 204]
    assert [hub.call("DELETE", path).status, hub.call("DELETE", path, idempotency_key=token_hex(8)).status] == [
        404,
        404,
    ]


def test_eight_concurrent_calls_with_one_key_create_one_object(hub: Hub, rows: Rows) -> None:
    key, body = token_hex(8), draft()
    replies = at_once([lambda: hub.call("POST", "/integrations", body=body, idempotency_key=key)] * 8)
    found = rows("SELECT name FROM integration_connections WHERE name = %s", [body["name"]])

    assert len(found) == 1
    assert {reply.json["id"] for reply in replies if reply.status == 201} == {
        next(reply.json["id"] for reply in replies if reply.status == 201)
    }
    assert {(reply.status, reply.code) for reply in replies} <= {
        (201, ""),
        (409, "IN_PROGRESS"),
        (429, ""),
        (503, ""),
    }


def test_call_waits_for_the_first_and_then_says_when_to_retry(hub: Hub, rows: Rows) -> None:
    key, body = token_hex(8), {"name": f"key {token_hex(6)}"}
    hub.call("POST", "/api-keys", body=body, idempotency_key=key)
    died(rows, key)
    rows("UPDATE idempotency_keys SET leased_until = now() + interval '1 minute' WHERE idempotency_key = %s", [key])
    waiting = hub.call("POST", "/api-keys", body=body, idempotency_key=key)

    assert (waiting.status, waiting.code, waiting.headers["retry-after"]) == (409, "IN_PROGRESS", "2")


def test_attempt_after_a_dead_one_does_the_work(hub: Hub, rows: Rows) -> None:
    key, body = token_hex(8), {"name": f"key {token_hex(6)}"}
    first = hub.call("POST", "/api-keys", body=body, idempotency_key=key).json
    rows("DELETE FROM api_keys WHERE key_id = %s", [first["id"]])
    died(rows, key)
    again = hub.call("POST", "/api-keys", body=body, idempotency_key=key)

    assert (again.status, again.json["id"]) == (201, first["id"])
    assert again.json["apiKey"].startswith("cwk_")


def test_call_that_a_platform_may_have_done_is_not_repeated(
    hub: Hub, calendar: str, rows: Rows, gohighlevel: Played
) -> None:
    """The attempt was killed: whether the slot is blocked is unknown."""
    key = token_hex(8)
    hub.call("POST", f"{calendar}/block-slots", body=SLOT, idempotency_key=key)
    died(rows, key)
    calls = gohighlevel.calls
    replies = [hub.call("POST", f"{calendar}/block-slots", body=SLOT, idempotency_key=key) for _ in range(2)]

    assert {(reply.status, reply.code) for reply in replies} == {(502, "PROVIDER_OUTCOME_UNKNOWN")}
    assert gohighlevel.calls == calls


def test_unknown_outcome_is_repeated_without_calling_the_platform(hub: Hub, calendar: str, gohighlevel: Played) -> None:
    key = token_hex(8)
    gohighlevel.fail("garbage")
    first = hub.call("POST", f"{calendar}/block-slots", body=SLOT, idempotency_key=key)
    gohighlevel.recover()
    calls = gohighlevel.calls
    again = hub.call("POST", f"{calendar}/block-slots", body=SLOT, idempotency_key=key)

    assert (first.status, first.code) == (again.status, again.code) == (502, "PROVIDER_OUTCOME_UNKNOWN")
    assert gohighlevel.calls == calls


def test_refused_call_releases_its_key(hub: Hub) -> None:
    """Nothing was done, so the corrected call may use the same key."""
    key = token_hex(8)
    refused = hub.call("POST", "/api-keys", body={"name": ""}, idempotency_key=key)
    corrected = hub.call("POST", "/api-keys", body={"name": f"key {token_hex(6)}"}, idempotency_key=key)

    assert (refused.status, corrected.status) == (400, 201)


@pytest.mark.parametrize("key", ["", "x" * 256])
def test_key_of_invalid_length_is_refused(hub: Hub, key: str) -> None:
    reply = hub.call("POST", "/api-keys", body={"name": "x"}, idempotency_key=key)
    assert (reply.status, reply.code) == (400, "INVALID_REQUEST")


def test_key_belongs_to_its_caller(hub: Hub, someone: Callable[..., str], calendar: str) -> None:
    key, body = token_hex(8), {"name": f"key {token_hex(6)}"}
    hub.call("POST", "/api-keys", body=body, idempotency_key=key)
    other = Caller(None, headers={"authorization": f"Bearer {someone('tenant_admin')}"})
    theirs = hub.call("POST", "/api-keys", other, body | {"name": f"key {token_hex(6)}"}, idempotency_key=key)
    robot = machine(hub.new_key()["apiKey"])
    blocked = hub.call("POST", f"{calendar}/block-slots", robot, SLOT, idempotency_key=key)

    assert (theirs.status, blocked.status) == (201, 201)


def test_caller_who_lost_the_permission_gets_no_replay(hub: Hub, someone: Callable[..., str], rows: Rows) -> None:
    person = Caller(None, headers={"authorization": f"Bearer {someone('tenant_admin')}"})
    key, body = token_hex(8), {"name": f"key {token_hex(6)}"}
    first = hub.call("POST", "/api-keys", person, body, idempotency_key=key)
    rows("UPDATE memberships SET status = 'suspended' WHERE subject = %s", [first.json["createdBy"]])

    assert hub.call("POST", "/api-keys", person, body, idempotency_key=key).status == 403


def test_api_keys_text_is_neither_stored_nor_shown_again(hub: Hub, rows: Rows) -> None:
    """HUB 1: the replay names the key and says what to do."""
    key, body = token_hex(8), {"name": f"key {token_hex(6)}"}
    first = hub.call("POST", "/api-keys", body=body, idempotency_key=key)
    again = hub.call("POST", "/api-keys", body=body, idempotency_key=key)
    kept = [row[0] for row in rows("SELECT k::text FROM idempotency_keys AS k WHERE idempotency_key = %s", [key])]

    assert (again.json["id"], again.json["apiKey"]) == (first.json["id"], None)
    assert "create another one and delete this one" in again.json["nextAction"]
    assert len(kept) == 1
    assert first.json["apiKey"][4:20] not in kept[0]
    assert first.json["apiKey"][-20:] not in kept[0]


def test_secrets_of_a_request_are_not_stored_with_its_key(hub: Hub, rows: Rows) -> None:
    """HUB 1: neither in the answer, nor as a hash against which values could be tried with the database alone."""
    key, body = token_hex(8), draft()
    hub.call("POST", "/integrations", body=body, idempotency_key=key)
    kept = [row[0] for row in rows("SELECT k::text FROM idempotency_keys AS k WHERE idempotency_key = %s", [key])]

    assert len(kept) == 1
    for name in ("api_key", "api_secret"):
        assert body["config"][name] not in kept[0]


def test_call_without_a_body_needs_no_secret_store(hub: Hub, stack: Stack) -> None:
    """HUB 50: disabling works with a key while the pepper cannot be read; a request with secrets gets 503."""
    path = hub.connection()
    with InProcessHub(stack, hub.tokens, AUDIT_SECRET="causeway/gone") as inside:
        key = token_hex(8)
        replies = [inside.call("POST", f"{path}/disable", idempotency_key=key) for _ in range(2)]
        made = inside.call("POST", "/integrations", body=draft(), idempotency_key=token_hex(8))

    assert [reply.status for reply in replies] == [200, 200]
    assert replies[1].headers["idempotent-replay"] == "true"
    assert made.status == 503


def test_key_is_new_again_after_a_day_and_swept(hub: Hub, stack: Stack, rows: Rows) -> None:
    keys = [token_hex(8) for _ in range(4)]
    for key in keys:
        hub.call("POST", "/api-keys", body={"name": f"key {token_hex(6)}"}, idempotency_key=key)
    aged = "UPDATE idempotency_keys SET created_at = now() - interval '24 hours 1 s' WHERE idempotency_key = ANY (%s)"
    rows(aged, [[*keys[:2], keys[3]]])
    # This key's attempt still has its lease.
    rows("UPDATE idempotency_keys SET leased_until = now() + interval '1 min' WHERE idempotency_key = %s", [keys[3]])
    other = hub.call("POST", "/api-keys", body={"name": f"key {token_hex(6)}"}, idempotency_key=keys[0])
    database = Database(conninfo=stack.database_urls["hub"])
    swept = idempotency.sweep_batch(database)
    database.close()
    left = {
        row[0] for row in rows("SELECT idempotency_key FROM idempotency_keys WHERE tenant_id = %s", [TENANTS[OURS]])
    }

    assert other.status == 201
    assert swept >= 1
    assert left & set(keys) == {keys[0], keys[2], keys[3]}
