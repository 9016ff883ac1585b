"""API keys: shown once, stored as a hash, revoked at once, bound to one tenant even if their parts are exchanged."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from datetime import datetime
from hashlib import sha256
from secrets import token_hex
from typing import Any
from uuid import UUID, uuid4

import pytest

from causeway.database.postgres import Database
from causeway.errors.tenancy import ApiKeyNotFound, Unauthorized
from causeway.tenancy import api_keys, key_texts
from causeway.tenancy.context import RequestContext
from causeway.tenancy.identity import Caller
from causeway.tenancy.permissions import ALLOWED
from causeway.wire.preconditions import ANY
from local.services.demo_data import TENANTS
from local.stack import Stack
from tests.database.parallel import at_once
from tests.hub.client import ADMIN, NOBODY, OURS, THEIR_ADMIN, THEIRS, Hub, machine

Rows = Callable[..., list[Any]]


@pytest.fixture
def database(stack: Stack) -> Iterator[Database]:
    """The database with the login of the hub's functions."""
    database = Database(conninfo=stack.database_urls["hub"])
    yield database
    database.close()


def spliced(text: str, place: int, raw: bytes) -> str:
    """The key with other bytes at a position."""
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


def test_key_identifies_a_machine_of_its_tenant_and_channel(hub: Hub, database: Database) -> None:
    key = hub.new_key(channel="sms")
    caller = key_texts.use(database, key["apiKey"]).machine

    assert caller == Caller("machine", key["id"], "service", UUID(TENANTS[OURS]), "sms")
    assert ALLOWED[caller.role] == {"connections.list", "connections.use", "games.launch", "me.read", "proxy.use"}
    assert key_texts.use(database, hub.new_key()["apiKey"]).machine.channel is None


def test_use_of_a_key_is_recorded_to_the_minute(hub: Hub, database: Database, rows: Rows) -> None:
    key = hub.new_key()

    def used() -> datetime:
        return rows("SELECT last_used_at FROM api_keys WHERE key_id = %s", [key["id"]])[0].last_used_at

    key_texts.use(database, key["apiKey"])
    first = used()
    key_texts.use(database, key["apiKey"])
    second = used()
    rows("UPDATE api_keys SET last_used_at = last_used_at - interval '2 minutes' WHERE key_id = %s", [key["id"]])
    key_texts.use(database, key["apiKey"])

    assert first is not None
    assert second == first
    assert used() > first
    listed = [one for one in hub.call("GET", "/api-keys").json["apiKeys"] if one["id"] == key["id"]]
    assert datetime.fromisoformat(listed[0]["lastUsedAt"]) == used()


def test_revoked_key_is_refused_at_once_and_for_ever(hub: Hub, database: Database) -> None:
    """HUB 44: the revocation is audited once."""
    key = hub.new_key()
    assert key_texts.use(database, key["apiKey"]).machine.subject == key["id"]
    replies = [hub.call("DELETE", f"/api-keys/{key['id']}") for _ in range(2)]

    assert [reply.status for reply in replies] == [204, 204]
    with pytest.raises(Unauthorized):
        key_texts.use(database, key["apiKey"])
    entries = hub.audited(f"/api-keys/{key['id']}")
    assert [entry["action"] for entry in entries] == ["api_key.created", "api_key.revoked", "access.refused"]
    [listed] = [one for one in hub.call("GET", "/api-keys").json["apiKeys"] if one["id"] == key["id"]]
    assert listed["revokedAt"] is not None


def test_key_with_any_changed_part_is_refused(hub: Hub, database: Database, rows: Rows) -> None:
    """HUB 43: another tenant's id, another key's id, a changed bit of the secret."""
    text, other = hub.new_key()["apiKey"], hub.new_key()
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
            key_texts.use(database, attempt)
    assert rows("SELECT last_used_at FROM api_keys WHERE key_id = %s", [theirs["id"]])[0].last_used_at is None
    assert key_texts.use(database, text).machine.tenant_id == UUID(TENANTS[OURS])


@pytest.mark.parametrize(
    "text", ["", "cwk_", "x", "cwk_" + "A" * 85, "cwk_" + "A" * 86 + "AAAA", "Bearer x", "cwk_é", "cwk_\0", "A" * 9000]
)
def test_malformed_key_is_refused(database: Database, text: str) -> None:
    with pytest.raises(Unauthorized):
        key_texts.use(database, text)


def test_key_without_its_prefix_is_refused(hub: Hub, database: Database) -> None:
    with pytest.raises(Unauthorized):
        key_texts.use(database, hub.new_key()["apiKey"].removeprefix("cwk_"))


def test_name_is_unique_among_keys_that_are_not_revoked(hub: Hub) -> None:
    name = f"machine {token_hex(6)}"
    key = hub.new_key(name=name)
    again = hub.call("POST", "/api-keys", ADMIN, {"name": name})
    theirs = hub.call("POST", "/api-keys", THEIR_ADMIN, {"name": name})
    hub.call("DELETE", f"/api-keys/{key['id']}")

    assert (again.status, again.code) == (409, "NAME_TAKEN")
    assert theirs.status == 201
    assert hub.new_key(name=name)["id"] != key["id"]


def test_ten_concurrent_keys_with_one_name_create_one(hub: Hub) -> None:
    body = {"name": f"machine {token_hex(6)}"}
    replies = at_once([lambda: hub.call("POST", "/api-keys", ADMIN, body)] * 10)
    assert sorted(reply.status for reply in replies) == [201] + [409] * 9


@pytest.mark.parametrize(
    "body",
    [{}, {"name": ""}, {"name": 1}, {"name": "x" * 101}, {"name": "x", "channel": ""}, {"name": "x", "key": "y"}],
)
def test_malformed_body_is_refused(hub: Hub, body: dict[str, Any]) -> None:
    reply = hub.call("POST", "/api-keys", ADMIN, body)
    assert (reply.status, reply.code) == (400, "INVALID_REQUEST")


def test_list_has_every_key_in_one_answer(hub: Hub, rows: Rows) -> None:
    """A script that looks for a leaked key reads one answer."""
    made = rows(
        """
        INSERT INTO api_keys (tenant_id, name, hash, created_by)
        SELECT %s, 'many ' || number, sha256(number::text::bytea), 'test' FROM generate_series(1, 120) AS number
        RETURNING key_id::text
        """,
        [TENANTS[THEIRS]],
    )
    try:
        reply = hub.call("GET", "/api-keys", THEIR_ADMIN)
    finally:
        rows("DELETE FROM api_keys WHERE key_id::text = ANY (%s)", [[row.key_id for row in made]])

    assert {row.key_id for row in made} <= {one["id"] for one in reply.json["apiKeys"]}
    assert reply.json["nextCursor"] is None


def test_list_has_only_the_tenants_keys(hub: Hub) -> None:
    """HUB 43"""
    ours = hub.new_key()["id"]
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


def test_another_tenants_key_cannot_be_revoked(hub: Hub, inside: Callable[..., RequestContext]) -> None:
    """HUB 43"""
    ours = hub.new_key()["id"]
    with pytest.raises(ApiKeyNotFound):
        api_keys.revoke(inside(THEIR_ADMIN), ours, ANY)
    [listed] = [one for one in hub.call("GET", "/api-keys").json["apiKeys"] if one["id"] == ours]
    assert listed["revokedAt"] is None


# ---- Over HTTP ----


def test_key_allows_what_a_machine_may_do(hub: Hub, stack: Stack) -> None:
    """Also the stack's own keys in stack.json."""
    path = hub.connection()
    for key in (hub.new_key()["apiKey"], stack.info["api_keys"][OURS]):
        one = hub.call("GET", path, machine(key))
        assert (one.status, "config" in one.json) == (200, False)
        assert hub.call("POST", f"{path}/test", machine(key)).status == 200
        # API Gateway's own authorizer stops it on routes that machines may not call.
        assert hub.call("GET", "/api-keys", machine(key)).json == {"message": "Unauthorized"}
    assert hub.call("GET", path, machine(stack.info["api_keys"][THEIRS])).status == 404


def test_use_over_http_is_recorded_and_audited_as_the_machines(hub: Hub) -> None:
    """HUB 44"""
    key, path = hub.new_key(), hub.connection()
    hub.call("POST", f"{path}/test", machine(key["apiKey"]))
    [listed] = [one for one in hub.call("GET", "/api-keys").json["apiKeys"] if one["id"] == key["id"]]
    tested = hub.audited(path)[-1]

    assert datetime.fromisoformat(listed["lastUsedAt"]) >= datetime.fromisoformat(listed["createdAt"])
    assert (tested["action"], tested["actorKind"]) == ("connection.tested", "machine")
    assert (tested["actor"], tested["actorRole"]) == (key["id"], "service")


def test_revoked_key_is_refused_by_the_very_next_call(hub: Hub) -> None:
    """HUB 43: no result of a key's check is cached anywhere."""
    key = hub.new_key()
    before = hub.call("GET", "/integrations", machine(key["apiKey"]))
    hub.call("DELETE", f"/api-keys/{key['id']}")
    after = hub.call("GET", "/integrations", machine(key["apiKey"]))

    assert before.status == 200
    assert after.essence == (401, {"error": "The call carries no valid token or key", "code": "UNAUTHORIZED"})


def test_channel_key_is_refused_and_audited(hub: Hub) -> None:
    """HUB 43, 44: there is no route for channels yet."""
    key, path = hub.new_key(channel="sms"), hub.connection()
    refused = [
        hub.call(method, place, machine(key["apiKey"]))
        for method, place in (("GET", "/integrations"), ("GET", path), ("POST", f"{path}/test"))
    ]
    entries = hub.call("GET", f"/audit?actor={key['id']}&action=access.refused").json["entries"]

    assert {(reply.status, reply.code) for reply in refused} == {(403, "FORBIDDEN")}
    assert len(entries) == len(refused)


def test_thirty_concurrent_calls_with_a_new_key_succeed(hub: Hub) -> None:
    key = hub.new_key()["apiKey"]
    assert {reply.status for reply in at_once([lambda: hub.call("GET", "/integrations", machine(key))] * 30)} == {200}


MALFORMED = [
    *("", " ", "x", "cwk_", "Bearer x", "cwk_\xe9\xff", "\xe9" * 90, "null", "[]", "' OR true --", "cwk_" + "=" * 86),
    *("cwk_" + "A" * length for length in (1, 85, 87, 88, 128, 8000)),
    *(prefix + "A" * 86 for prefix in ("", "CWK_", "cwk", "cwk-", "_cwk_", "cwk_ ", "sk_live_")),
    *("cwk_" + "A" * 43 + mark + "A" * 42 for mark in (".", "+", "/", " ", "%", ",", ";", "\xe9")),
    # Well-formed but invalid keys: of the nil tenant, and of an unknown tenant.
    *("cwk_" + letter * 86 for letter in "Azw9_-"),
]


@pytest.mark.parametrize("text", MALFORMED)
def test_malformed_key_header_is_unauthorized(hub: Hub, text: str) -> None:
    reply = hub.call("GET", "/integrations", machine(text))
    assert (reply.status, reply.code) == (401, "UNAUTHORIZED")


def test_two_keys_in_one_header_are_refused(hub: Hub) -> None:
    """A header that is sent twice arrives as one, joined by a comma."""
    key = hub.new_key()["apiKey"]
    assert hub.call("GET", "/integrations", machine(f"{key},{key}")).status == 401
    assert hub.call("GET", "/integrations", machine(f" {key} ")).status == 200


def test_changed_keys_are_refused_over_http(hub: Hub) -> None:
    """HUB 43"""
    text, other = hub.new_key()["apiKey"], hub.new_key(THEIR_ADMIN)
    for attempt in (
        spliced(text, 0, UUID(TENANTS[THEIRS]).bytes),
        spliced(text, 16, UUID(other["id"]).bytes),
        spliced(spliced(text, 0, UUID(TENANTS[THEIRS]).bytes), 16, UUID(other["id"]).bytes),
        spliced(text, 40, bytes(8)),
    ):
        assert hub.call("GET", "/integrations", machine(attempt)).status == 401


def test_token_and_key_together_are_refused(hub: Hub) -> None:
    """It is ambiguous which of the two, and so which tenant and role, is meant."""
    key = hub.new_key()["apiKey"]
    for token in (hub.token(ADMIN), hub.token(THEIR_ADMIN), "x"):
        for text in (key, "x"):
            reply = hub.call("GET", "/integrations", NOBODY, authorization=f"Bearer {token}", x_api_key=text)
            assert (reply.status, reply.code) == (401, "UNAUTHORIZED")


def test_key_in_the_authorization_header_is_refused(hub: Hub) -> None:
    key = hub.new_key()["apiKey"]
    for authorization in (key, f"Bearer {key}"):
        for path in ("/integrations", "/api-keys"):
            assert hub.call("GET", path, NOBODY, authorization=authorization).status == 401


def test_authorizer_passes_on_only_the_callers_identity(stack: Stack, hub: Hub) -> None:
    """A function receives the caller's id and name as texts; of a refusal it receives the code, not the cause."""

    def context(**headers: str) -> dict[str, Any]:
        answer = stack.invoke("caller-authorizer", {"headers": headers, "requestContext": {"requestId": "1"}})
        assert answer["isAuthorized"] is True
        return answer["context"]

    key, sms = hub.new_key(), hub.new_key(channel="sms")
    assert context(**{"X-Api-Key": key["apiKey"]}) == {"keyId": key["id"], "tenantId": TENANTS[OURS]}
    assert context(**{"x-api-key": sms["apiKey"]})["channel"] == "sms"
    assert context(Authorization=f"Bearer {hub.token(ADMIN)}").keys() == {
        *("sub", "token_use", "cognito:groups", "custom:tenant_id", "email")
    }
    assert context(authorization="x")["refused"] == "UNAUTHORIZED"
    told = "Neither a token nor an API key was sent"
    assert context() == context(authorization="Bearer ") == {"refused": "UNAUTHORIZED", "sentence": told}


def test_refused_caller_learns_the_reason(hub: Hub) -> None:
    """HUB 43: the answer may repeat what the caller sent, but not whether a key exists."""
    key, token = hub.new_key()["apiKey"], hub.token(ADMIN)

    def told(**headers: str) -> str:
        reply = hub.send(
            "GET", "/integrations", None, {name.replace("_", "-"): value for name, value in headers.items()}
        )
        assert (reply.status, reply.code) == (401, "UNAUTHORIZED")
        return str(reply.json["error"])

    assert told() == "Neither a token nor an API key was sent"
    assert told(authorization=f"Bearer {token}", x_api_key=key).startswith("A token and an API key were sent")
    assert told(authorization=f"Bearer {key}") == "An API key was sent in Authorization: send it in X-API-Key"
    assert told(x_api_key=str(token)).startswith("A token was sent in X-API-Key: send it in Authorization")
    assert told(x_api_key=key[:-1]).startswith("The API key is not whole")
    assert told(x_api_key=key[:-4] + "AAAA") == "The call carries no valid token or key"
    assert told(authorization=f"Bearer {token}x") == "The call carries no valid token or key"


def test_use_of_a_revoked_key_is_audited_in_its_tenant(hub: Hub, rows: Callable[..., list[Any]]) -> None:
    """HUB 44: one entry in five minutes, however often it is used."""
    key = hub.new_key()
    hub.call("DELETE", f"/api-keys/{key['id']}")
    stolen = machine(key["apiKey"])
    refused = at_once([lambda: hub.call("GET", "/integrations", stolen)] * 8)
    [entry] = hub.call("GET", f"/audit?actor={key['id']}&action=access.refused").json["entries"]
    rows("UPDATE audit_refusals SET written_at = now() - interval '6 minutes'")
    hub.call("GET", "/integrations", stolen)
    entries = hub.call("GET", f"/audit?actor={key['id']}&action=access.refused").json["entries"]

    assert {reply.status for reply in refused} <= {401, 429, 503}
    assert (entry["outcome"], entry["objectKind"], entry["objectId"]) == ("refused", "api_key", key["id"])
    assert (entry["actorKind"], entry["sourceIp"]) == ("machine", "127.0.0.1")
    assert entry["requestId"]
    assert len(entries) == 2


def test_guessed_key_writes_nothing(hub: Hub) -> None:
    """HUB 44: the id of a revoked key is not secret, and must not suffice to write into its tenant's log."""
    key = hub.new_key()
    hub.call("DELETE", f"/api-keys/{key['id']}")
    wrong = key["apiKey"][:60] + ("A" if key["apiKey"][60] != "A" else "B") + key["apiKey"][61:]

    assert hub.call("GET", "/integrations", machine(wrong)).status == 401
    assert hub.call("GET", f"/audit?actor={key['id']}").json["entries"] == []
