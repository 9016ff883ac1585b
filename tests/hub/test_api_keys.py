"""API keys: shown once, kept as a hash, revoked at once, and of one tenant, whatever is spliced into them."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from datetime import datetime
from hashlib import sha256
from secrets import token_hex
from typing import Any
from uuid import UUID, uuid4

import pytest

from causeway import api_keys, identity
from causeway.context import RequestContext
from causeway.database import Database
from causeway.errors import ApiKeyNotFound, Unauthorized
from causeway.identity import Caller
from causeway.permissions import ALLOWED
from local.demo_data import TENANTS
from local.stack import Stack
from tests.database.parallel import at_once
from tests.hub.client import ADMIN, OURS, THEIR_ADMIN, THEIRS, Hub

Rows = Callable[..., list[Any]]


@pytest.fixture
def database(stack: Stack) -> Iterator[Database]:
    """The database, as the hub's functions log in to it."""
    database = Database(conninfo=stack.database_urls["hub"])
    yield database
    database.close()


def new_key(hub: Hub, **changes: Any) -> dict[str, Any]:
    """A key as its creation answers it."""
    reply = hub.call("POST", "/api-keys", ADMIN, {"name": f"machine {token_hex(6)}"} | changes)
    assert reply.status == 201, reply
    return reply.json


def spliced(text: str, place: int, raw: bytes) -> str:
    """The key with other bytes at a place."""
    old = urlsafe_b64decode(text.removeprefix("cwk_") + "==")
    new = old[:place] + raw + old[place + len(raw) :]
    return "cwk_" + urlsafe_b64encode(new).decode().rstrip("=")


def test_key_is_shown_once_and_kept_as_a_hash(hub: Hub, rows: Rows) -> None:
    """HUB 1"""
    reply = hub.call("POST", "/api-keys", ADMIN, {"name": f"machine {token_hex(6)}", "channel": "sms"})
    key = reply.json
    listed = [one for one in hub.call("GET", "/api-keys").json["apiKeys"] if one["id"] == key["id"]]
    stored = rows("SELECT hash FROM api_keys WHERE key_id = %s", [key["id"]])[0].hash

    assert reply.headers["cache-control"] == "no-store"
    assert listed == [{name: value for name, value in key.items() if name != "apiKey"}]
    assert (key["channel"], key["lastUsedAt"], key["revokedAt"]) == ("sms", None, None)
    assert bytes(stored) == sha256(urlsafe_b64decode(key["apiKey"].removeprefix("cwk_") + "==")[32:]).digest()


def test_key_is_a_machine_of_its_tenant_and_channel(hub: Hub, database: Database) -> None:
    key = new_key(hub, channel="sms")
    caller = identity.of_key(database, key["apiKey"])

    assert caller == Caller("machine", key["id"], "service", TENANTS[OURS], "sms")
    assert ALLOWED[caller.role] == {"connections.list", "connections.use"}
    assert identity.of_key(database, new_key(hub)["apiKey"]).channel is None


def test_use_of_a_key_is_recorded_to_the_minute(hub: Hub, database: Database, rows: Rows) -> None:
    key = new_key(hub)

    def used() -> datetime:
        return rows("SELECT last_used_at FROM api_keys WHERE key_id = %s", [key["id"]])[0].last_used_at

    identity.of_key(database, key["apiKey"])
    first = used()
    identity.of_key(database, key["apiKey"])
    second = used()
    rows("UPDATE api_keys SET last_used_at = last_used_at - interval '2 minutes' WHERE key_id = %s", [key["id"]])
    identity.of_key(database, key["apiKey"])

    assert first is not None
    assert second == first
    assert used() > first
    listed = [one for one in hub.call("GET", "/api-keys").json["apiKeys"] if one["id"] == key["id"]]
    assert datetime.fromisoformat(listed[0]["lastUsedAt"]) == used()


def test_revoked_key_is_refused_at_once_and_for_ever(hub: Hub, database: Database) -> None:
    """HUB 44: revoking is in the audit log, once."""
    key = new_key(hub)
    assert identity.of_key(database, key["apiKey"]).subject == key["id"]
    replies = [hub.call("DELETE", f"/api-keys/{key['id']}") for _ in range(2)]

    assert [reply.status for reply in replies] == [204, 204]
    with pytest.raises(Unauthorized):
        identity.of_key(database, key["apiKey"])
    entries = hub.audited(f"/api-keys/{key['id']}")
    assert [entry["action"] for entry in entries] == ["api_key.created", "api_key.revoked"]
    [listed] = [one for one in hub.call("GET", "/api-keys").json["apiKeys"] if one["id"] == key["id"]]
    assert listed["revokedAt"] is not None


def test_key_with_anything_else_spliced_in_is_refused(hub: Hub, database: Database, rows: Rows) -> None:
    """HUB 43: the other tenant's id, another key's id, a bit of the secret."""
    text, other = new_key(hub)["apiKey"], new_key(hub)
    theirs = hub.call("POST", "/api-keys", THEIR_ADMIN, {"name": f"machine {token_hex(6)}"}).json
    secret = urlsafe_b64decode(text.removeprefix("cwk_") + "==")[32:]
    wrong = [
        spliced(text, 0, UUID(TENANTS[THEIRS]).bytes),
        spliced(text, 0, uuid4().bytes),
        spliced(text, 0, bytes(16)),
        spliced(text, 16, UUID(other["id"]).bytes),
        spliced(text, 16, UUID(theirs["id"]).bytes),
        spliced(spliced(text, 0, UUID(TENANTS[THEIRS]).bytes), 16, UUID(theirs["id"]).bytes),
        spliced(text, 63, bytes([secret[-1] ^ 1])),
        spliced(text, 32, bytes(32)),
    ]
    for attempt in wrong:
        with pytest.raises(Unauthorized):
            identity.of_key(database, attempt)
    assert rows("SELECT last_used_at FROM api_keys WHERE key_id = %s", [theirs["id"]])[0].last_used_at is None
    assert identity.of_key(database, text).tenant_id == TENANTS[OURS]


@pytest.mark.parametrize(
    "text", ["", "cwk_", "x", "cwk_" + "A" * 85, "cwk_" + "A" * 86 + "AAAA", "Bearer x", "cwk_é", "cwk_\0", "A" * 9000]
)
def test_text_that_is_no_key_is_refused(database: Database, text: str) -> None:
    with pytest.raises(Unauthorized):
        identity.of_key(database, text)


def test_key_without_its_prefix_is_refused(hub: Hub, database: Database) -> None:
    with pytest.raises(Unauthorized):
        identity.of_key(database, new_key(hub)["apiKey"].removeprefix("cwk_"))


def test_name_is_one_living_keys(hub: Hub) -> None:
    name = f"machine {token_hex(6)}"
    key = new_key(hub, name=name)
    again = hub.call("POST", "/api-keys", ADMIN, {"name": name})
    theirs = hub.call("POST", "/api-keys", THEIR_ADMIN, {"name": name})
    hub.call("DELETE", f"/api-keys/{key['id']}")

    assert (again.status, again.code) == (409, "NAME_TAKEN")
    assert theirs.status == 201
    assert new_key(hub, name=name)["id"] != key["id"]


def test_ten_keys_at_once_with_one_name_make_one(hub: Hub) -> None:
    body = {"name": f"machine {token_hex(6)}"}
    replies = at_once([lambda: hub.call("POST", "/api-keys", ADMIN, body)] * 10)
    assert sorted(reply.status for reply in replies) == [201] + [409] * 9


@pytest.mark.parametrize(
    "body",
    [{}, {"name": ""}, {"name": 1}, {"name": "x" * 101}, {"name": "x", "channel": ""}, {"name": "x", "key": "y"}],
)
def test_key_of_another_form_is_refused(hub: Hub, body: dict[str, Any]) -> None:
    reply = hub.call("POST", "/api-keys", ADMIN, body)
    assert (reply.status, reply.code) == (400, "INVALID_REQUEST")


def test_list_holds_the_tenants_own_keys(hub: Hub) -> None:
    """HUB 43"""
    ours = new_key(hub)["id"]
    theirs = hub.call("POST", "/api-keys", THEIR_ADMIN, {"name": f"machine {token_hex(6)}"}).json["id"]
    listed = [
        {one["id"] for one in hub.call("GET", "/api-keys", caller).json["apiKeys"]} for caller in (ADMIN, THEIR_ADMIN)
    ]
    assert (ours in listed[0], theirs in listed[0], ours in listed[1], theirs in listed[1]) == (
        True,
        False,
        False,
        True,
    )


def test_another_tenants_key_is_not_there_to_be_revoked(hub: Hub, inside: Callable[..., RequestContext]) -> None:
    """HUB 43"""
    ours = new_key(hub)["id"]
    with pytest.raises(ApiKeyNotFound):
        api_keys.revoke(inside(THEIR_ADMIN), ours)
    [listed] = [one for one in hub.call("GET", "/api-keys").json["apiKeys"] if one["id"] == ours]
    assert listed["revokedAt"] is None
