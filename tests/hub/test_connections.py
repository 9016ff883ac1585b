"""The connections API: create once, change the newest version, test before use, delete with the secrets."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from secrets import token_hex
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from causeway.connections import changes, testing
from causeway.connections import rows as connection_rows
from causeway.connections import writes as connection_writes
from causeway.connections.requests import ConnectionChange, ConnectionDraft, NewSecrets
from causeway.errors.connections import IntegrationNotActive, SecretsRequired
from causeway.errors.platforms import InvalidCredentials
from causeway.errors.requests import VersionMismatch
from causeway.errors.vault import KeyServiceUnavailable
from causeway.tenancy.context import RequestContext
from causeway.wire.preconditions import ANY
from local.sandbox.registry import demo_credentials, platforms
from local.services.demo_data import TENANTS
from local.stack import Stack
from tests.database.parallel import at_once
from tests.hub.client import (
    ADMIN,
    DEPLOYMENT_ADMIN,
    OURS,
    REGULATOR,
    STAFF,
    THEIR_ADMIN,
    Hub,
    config,
    draft,
    exactly,
)
from tests.hub.conftest import Platform
from tests.hub.objects import added
from tests.hub.snapshots import SNAPSHOT

Rows = Callable[..., list[Any]]
Inside = Callable[..., RequestContext]
# No answer repeats it; as a name it looks like a secret.
CANARY = "sk_live_51HabcXYZ0f1e2d3c"
# Nothing listens at this address.
NOWHERE = "http://127.0.0.1:9"


def versions(rows: Rows, identity: str | UUID) -> list[str]:
    """The statuses of a connection's credentials, oldest first."""
    statement = "SELECT status FROM api_credential_versions WHERE connection_id = %s ORDER BY version"
    return [row.status for row in rows(statement, [identity])]


def activate(rows: Rows, path: str) -> None:
    """Make a connection active, as after a successful test."""
    statement = "UPDATE integration_connections SET status = 'active' WHERE connection_id = %s"
    rows(statement, [path.rsplit("/", 1)[-1]])


def at_platform(platform: Platform, key: str = "good-key") -> ConnectionDraft:
    """A draft of a connection to a platform that accepts this key."""
    platform.keys.add(key)
    return ConnectionDraft.parse(draft(config=config(base_url=platform.url, api_key=key)))


# ---- Creation ----


def test_creation_answers_the_connection_without_secrets_and_its_location(hub: Hub) -> None:
    """HUB 1"""
    reply = hub.created(description="Our casino")
    found = hub.call("GET", reply.headers["location"])

    assert reply.json == found.json
    assert reply.etag == found.etag
    assert set(reply.json["config"]) == {"casino_id", "environment", "base_url"}
    assert (reply.json["templateId"], reply.json["kind"], reply.json["description"]) == (
        "softswiss",
        "casino_platform",
        "Our casino",
    )
    assert (reply.json["status"], reply.json["isActive"]) == ("error", False)
    assert "private or reserved" in reply.json["errorMessage"]


def test_same_key_and_body_give_the_same_connection(hub: Hub, rows: Rows) -> None:
    body, key = draft(), token_hex(8)
    first = hub.call("POST", "/integrations", body=body, idempotency_key=key)
    before = rows(SNAPSHOT)
    second = hub.call("POST", "/integrations", body=body, idempotency_key=key)

    assert (first.status, second.status) == (201, 201)
    assert second.json == first.json
    assert "idempotent-replay" not in first.headers
    assert second.headers["idempotent-replay"] == "true"
    assert rows(SNAPSHOT) == before


@pytest.mark.parametrize("changed", ["name", "description", "config", "environment"])
def test_same_key_and_another_body_is_refused(hub: Hub, rows: Rows, changed: str) -> None:
    key = token_hex(8)
    body = draft()
    assert hub.call("POST", "/integrations", body=body, idempotency_key=key).status == 201
    before = rows(SNAPSHOT)
    value = config() if changed == "config" else "sandbox" if changed == "environment" else "other"
    reply = hub.call("POST", "/integrations", body=body | {changed: value}, idempotency_key=key)

    assert (reply.status, reply.code) == (409, "IDEMPOTENCY_KEY_REUSED")
    assert rows(SNAPSHOT) == before


def test_idempotency_key_belongs_to_its_caller(hub: Hub) -> None:
    key, body = token_hex(8), draft()
    ours = hub.call("POST", "/integrations", ADMIN, body, idempotency_key=key)
    theirs = hub.call("POST", "/integrations", THEIR_ADMIN, body, idempotency_key=key)

    assert (ours.status, theirs.status) == (201, 201)
    assert ours.json["id"] != theirs.json["id"]


def test_stored_request_hash_does_not_reveal_secrets(hub: Hub, rows: Rows) -> None:
    """HUB 1: with the database alone nobody can try all short secrets; the hash of a body differs between tenants."""
    body, key = draft(config=config(api_key="1234")), token_hex(8)
    for caller in (ADMIN, THEIR_ADMIN):
        assert hub.call("POST", "/integrations", caller, body, idempotency_key=key).status == 201
    kept = [bytes(row.request_hash) for row in rows("SELECT * FROM idempotency_keys WHERE idempotency_key = %s", [key])]
    parsed = ConnectionDraft.parse(body)
    fields = [parsed.template_id, parsed.name, parsed.description, parsed.environment, parsed.config]

    assert len(set(kept)) == 2
    assert sha256(json.dumps(fields, sort_keys=True).encode()).digest() not in kept


def test_twenty_concurrent_calls_with_one_key_create_one_connection(hub: Hub, rows: Rows) -> None:
    body, key = draft(), token_hex(8)
    replies = at_once([lambda: hub.call("POST", "/integrations", body=body, idempotency_key=key)] * 20)

    assert {reply.status for reply in replies} == {201}
    assert len({reply.json["id"] for reply in replies}) == 1
    assert sum("idempotent-replay" not in reply.headers for reply in replies) == 1
    made = rows("SELECT connection_id FROM integration_connections WHERE name = %s", [body["name"]])
    assert [row.connection_id for row in made] == [UUID(replies[0].json["id"])]
    assert versions(rows, made[0].connection_id) == ["active"]


def test_twenty_concurrent_calls_with_one_name_create_one_connection(hub: Hub, rows: Rows) -> None:
    body = draft()
    replies = at_once([lambda: hub.call("POST", "/integrations", body=body)] * 20)

    assert sorted(reply.status for reply in replies) == [201] + [409] * 19
    assert {reply.code for reply in replies if reply.status == 409} == {"NAME_TAKEN"}
    assert rows("SELECT count(*) AS n FROM integration_connections WHERE name = %s", [body["name"]])[0].n == 1


def test_name_is_unique_within_the_tenant_and_free_after_deletion(hub: Hub) -> None:
    body = draft()
    made = hub.call("POST", "/integrations", ADMIN, body)
    again = hub.call("POST", "/integrations", ADMIN, body)
    theirs = hub.call("POST", "/integrations", THEIR_ADMIN, body)
    hub.call("DELETE", made.headers["location"])
    after = hub.call("POST", "/integrations", ADMIN, body)

    assert (again.status, again.code) == (409, "NAME_TAKEN")
    assert (theirs.status, after.status) == (201, 201)


@pytest.mark.parametrize("form", ["{} ", " {}", "{}\n", "\u00a0{}"])
def test_names_that_look_alike_are_equal(hub: Hub, form: str) -> None:
    """For connections, API keys and tenants; the answer has the normal form."""
    body, name = draft(), f"key {token_hex(6)}"
    made = hub.call("POST", "/integrations", body=body | {"name": form.format(body["name"])})
    again = hub.call("POST", "/integrations", body=body)
    hub.new_key(name=form.format(name))
    key = hub.call("POST", "/api-keys", body={"name": name})
    tenant = {"code": f"T{token_hex(8).upper()}", "displayName": form.format("A casino")}

    assert (made.status, made.json["name"]) == (201, body["name"])
    assert [(reply.status, reply.code) for reply in (again, key)] == [(409, "NAME_TAKEN")] * 2
    assert hub.call("POST", "/tenants", DEPLOYMENT_ADMIN, tenant).json["displayName"] == "A casino"


@pytest.mark.parametrize("name", [" ", "\u200b", "a\nb", "a\u200bb"], ids=ascii)
def test_name_with_invisible_characters_is_refused(hub: Hub, name: str) -> None:
    replies = [
        hub.call("POST", "/integrations", body=draft(name=name)),
        hub.call("POST", "/api-keys", body={"name": name}),
        hub.call("POST", "/api-keys", body={"name": token_hex(6), "channel": name}),
        hub.call("POST", "/tenants", DEPLOYMENT_ADMIN, {"code": f"T{token_hex(8).upper()}", "displayName": name}),
    ]
    assert [(reply.status, reply.code) for reply in replies] == [(400, "INVALID_REQUEST")] * 4


@pytest.mark.parametrize("template_id", ["no_such_platform", "Twilio", "twilio ", "'; --", "💥"])
def test_unknown_provider_is_not_found(hub: Hub, rows: Rows, template_id: str) -> None:
    before = rows(SNAPSHOT)
    reply = hub.call("POST", "/integrations", body=draft(templateId=template_id))

    assert (reply.status, reply.code) == (404, "PROVIDER_NOT_FOUND")
    assert rows(SNAPSHOT) == before


def test_inactive_provider_accepts_no_new_connection(hub: Hub, rows: Rows) -> None:
    made = added(hub)
    switch = {"isActive": False}
    off = hub.call("PATCH", made.headers["location"], DEPLOYMENT_ADMIN, switch, if_match=made.etag)
    before = rows(SNAPSHOT)
    reply = hub.call("POST", "/integrations", body=draft(templateId=made.json["id"]))

    assert (off.status, off.json["isActive"]) == (200, False)
    assert (reply.status, reply.code) == (409, "PROVIDER_INACTIVE")
    assert rows(SNAPSHOT) == before


BAD_CONFIGS = [
    ({"casino_id": 5}, "config.casino_id must be a string"),
    ({"casino_id": "a b"}, "config.casino_id must have no space"),
    ({"api_key": True}, "config.api_key must be a string"),
    ({"environment": "moon"}, "config.environment must be one of production, staging, sandbox"),
    ({"unknown_field": "x"}, "config.unknown_field is not a known field"),
    ({"casino_id": "\0"}, "config.casino_id holds a character that is not text"),
    ({"casino_id": "\ud800"}, "config.casino_id holds a character that is not text"),
    ({"casino_id": 1.5}, "config.casino_id must be a whole number"),
    ({"casino_id": None}, "config.casino_id must be a string"),
]


@pytest.mark.parametrize(("change", "sentence"), BAD_CONFIGS)
def test_invalid_config_is_refused_with_the_fields_path(
    hub: Hub, rows: Rows, change: dict[str, Any], sentence: str
) -> None:
    """HUB 7"""
    before = rows(SNAPSHOT)
    reply = hub.call("POST", "/integrations", body=draft(config=config(**change)))

    assert (reply.status, reply.code) == (400, "CONFIG_SCHEMA_INVALID")
    assert sentence in reply.json["error"]
    assert rows(SNAPSHOT) == before


def test_problems_of_a_config_are_told_together_five_at_most(hub: Hub) -> None:
    """HUB 7"""
    unknown = {f"field_{letter}": CANARY for letter in "abcdef"}
    found = []
    for wrong in ({"casino_id": 7, "environment": CANARY}, unknown):
        reply = hub.call("POST", "/integrations", body=draft(config=config(**wrong)))
        assert (reply.status, reply.code) == (400, "CONFIG_SCHEMA_INVALID")
        assert reply.json["error"] == "; ".join(f"{one['path']} {one['rule']}" for one in reply.json["problems"])
        assert CANARY not in str(reply)
        found.append({one["path"] for one in reply.json["problems"]})

    assert found[0] == {"config.casino_id", "config.environment"}
    assert len(found[1]) == 5
    assert found[1] < {f"config.{name}" for name in unknown}


def test_missing_field_of_the_config_is_named(hub: Hub) -> None:
    """HUB 7"""
    reply = hub.call("POST", "/integrations", body=draft(config={"api_key": "x"}))

    assert (reply.status, reply.code) == (400, "CONFIG_SCHEMA_INVALID")
    assert "config.api_secret is missing" in reply.json["error"]


FIELDS = "the fields are templateId, name, description, environment, externalId, metadata, config"
BAD_BODIES = [
    (draft(extra=1), f"extra is not a known field: {FIELDS}"),
    (draft(sk_live_51HabcXYZ=1), f"<unnamed> is not a known field: {FIELDS}"),
    (draft(name=""), "name must not be blank"),
    (draft(name="x" * 101), "name must have at most 100 characters"),
    (draft(name=7), "name must be a string"),
    (draft(name="a\0b"), "name holds a character that is not text"),
    (draft(name="\udc00"), "name holds a character that is not text"),
    (draft(description=[]), "description must be a string"),
    (draft(environment="moon"), "environment must be one of production, sandbox"),
    (draft(environment=[]), "environment must be one of production, sandbox"),
    (draft(config="text"), "config must be an object"),
    (draft(config=None), "config must be an object"),
    (draft(templateId=["twilio"]), "templateId must be a string"),
    ({}, "templateId is missing; name is missing; config is missing"),
    (
        draft(name=7, environment="moon", config=1),
        "name must be a string; environment must be one of production, sandbox; config must be an object",
    ),
    ([], "The body must be a JSON object"),
    (None, "The body is not valid JSON"),
]


@pytest.mark.parametrize(("body", "sentence"), BAD_BODIES)
def test_malformed_body_is_refused_with_the_field(hub: Hub, rows: Rows, body: Any, sentence: str) -> None:
    before = rows(SNAPSHOT)
    reply = hub.call("POST", "/integrations", body=body)

    assert (reply.status, reply.code) == (400, "INVALID_REQUEST")
    assert reply.json["error"] == sentence
    assert rows(SNAPSHOT) == before


@pytest.mark.parametrize("raw", [b"{", b'{"a":1,"a":2}', b'\xff\xfe{"a":1}', b'{"name":NaN}', b"[" * 5000])
def test_body_that_is_not_json_is_refused(hub: Hub, raw: bytes) -> None:
    reply = hub.call("POST", "/integrations", raw=raw)
    assert (reply.status, reply.code) == (400, "INVALID_REQUEST")


@pytest.mark.parametrize(("method", "end"), [("POST", ""), ("PATCH", "/x"), ("POST", "/x/credentials/rotate")])
def test_body_over_the_limit_is_413(hub: Hub, method: str, end: str) -> None:
    path = "/integrations" + end.replace("x", str(uuid4())) if end else "/integrations"
    reply = hub.call(method, path, body={"config": {"api_key": "x" * 16384}}, if_match='"1"')
    assert (reply.status, reply.code) == (413, "PAYLOAD_TOO_LARGE")


@pytest.mark.parametrize("key", ["", "x" * 256])
def test_idempotency_key_of_invalid_length_is_refused(hub: Hub, rows: Rows, key: str) -> None:
    before = rows(SNAPSHOT)
    reply = hub.call("POST", "/integrations", body=draft(), idempotency_key=key)
    assert (reply.status, reply.code) == (400, "INVALID_REQUEST")
    assert rows(SNAPSHOT) == before


# ---- Change ----


def test_change_needs_the_newest_etag(hub: Hub) -> None:
    path = hub.connection()
    seen = hub.call("GET", path).etag
    without = hub.call("PATCH", path, body={"description": "a"})
    good = hub.call("PATCH", path, body={"description": "b"}, if_match=seen)
    stale = hub.call("PATCH", path, body={"description": "c"}, if_match=seen)

    assert (without.status, without.code) == (428, "IF_MATCH_REQUIRED")
    assert (good.status, good.json["description"]) == (200, "b")
    assert (stale.status, stale.code) == (412, "VERSION_MISMATCH")
    now = hub.call("GET", path)
    assert (now.json["description"], now.etag) == ("b", good.etag)


@pytest.mark.parametrize("tag", ["x", "1", "''", '"1', '"1" "2"', '"1",', "*, *", 'w/"1"'])
def test_malformed_if_match_is_refused(hub: Hub, tag: str) -> None:
    path = hub.connection()
    reply = hub.call("PATCH", path, body={"description": "a"}, if_match=tag)
    assert (reply.status, reply.code) == (400, "INVALID_REQUEST")


def test_of_ten_concurrent_changes_of_one_version_one_succeeds(hub: Hub) -> None:
    path = hub.connection()
    seen = hub.call("GET", path).etag
    calls = [lambda n=n: hub.call("PATCH", path, body={"description": f"change {n}"}, if_match=seen) for n in range(10)]
    assert sorted(reply.status for reply in at_once(calls)) == [200] + [412] * 9


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "INVALID_REQUEST"),
        ({"status": "active"}, "INVALID_REQUEST"),
        ({"templateId": "twilio"}, "INVALID_REQUEST"),
        ({"name": ""}, "INVALID_REQUEST"),
        ({"name": None}, "INVALID_REQUEST"),
        ({"config": []}, "INVALID_REQUEST"),
        ({"config": {"casino_id": "a b"}}, "CONFIG_SCHEMA_INVALID"),
        ({"config": {"api_key": None}}, "CONFIG_SCHEMA_INVALID"),
        ({"config": {"extra": "x"}}, "CONFIG_SCHEMA_INVALID"),
    ],
)
def test_malformed_change_changes_nothing(hub: Hub, rows: Rows, body: dict[str, Any], code: str) -> None:
    """HUB 7"""
    path = hub.connection()
    seen = hub.call("GET", path).etag
    before = rows(SNAPSHOT)
    reply = hub.call("PATCH", path, body=body, if_match=seen)

    assert (reply.status, reply.code) == (400, code)
    assert rows(SNAPSHOT) == before


def test_change_to_a_taken_name_is_refused(hub: Hub) -> None:
    taken, path = draft()["name"], hub.connection()
    hub.created(name=taken)
    seen = hub.call("GET", path).etag
    reply = hub.call("PATCH", path, body={"name": taken}, if_match=seen)

    assert (reply.status, reply.code) == (409, "NAME_TAKEN")
    assert hub.call("GET", path).etag == seen


def test_failed_new_credential_replaces_nothing(hub: Hub, rows: Rows) -> None:
    """HUB 8: with the new settings the platform cannot be reached."""
    path = hub.connection()
    identity = path.rsplit("/", 1)[-1]
    seen = hub.call("GET", path)
    stored = rows("SELECT * FROM api_credentials WHERE connection_id = %s ORDER BY field", [identity])
    changed = hub.call("PATCH", path, body={"config": {"api_key": "new", "casino_id": "c2"}}, if_match=seen.etag)
    rotated = hub.call("POST", f"{path}/credentials/rotate", body={"config": {"api_key": "new"}})

    assert (changed.status, changed.code) == (422, "BLOCKED_ADDRESS")
    assert (rotated.status, rotated.code) == (422, "BLOCKED_ADDRESS")
    assert rows("SELECT * FROM api_credentials WHERE connection_id = %s ORDER BY field", [identity]) == stored
    assert versions(rows, identity) == ["active"]
    now = hub.call("GET", path)
    assert (now.json["config"], now.etag) == (seen.json["config"], seen.etag)


def test_refused_new_credential_leaves_the_working_one_active(inside: Inside, rows: Rows, platform: Platform) -> None:
    """HUB 8: the platform answers 401 to the new credential and still accepts the old one."""
    context = inside()
    one = changes.create(context, at_platform(platform))
    identity = one.connection_id
    assert one.status == "active"

    with pytest.raises(InvalidCredentials):
        changes.rotate(context, identity, NewSecrets(config={"api_key": "wrong"}), ANY)
    with pytest.raises(InvalidCredentials):
        changes.change(
            context, identity, exactly(one.version), ConnectionChange(name="new name", config={"api_key": "wrong"})
        )

    assert versions(rows, one.connection_id) == ["active"]
    assert testing.test_and_save(context, identity, ANY)[0].verdict.success


def test_rotation_activates_the_new_credential_and_keeps_the_old(
    inside: Inside, rows: Rows, platform: Platform
) -> None:
    """HUB 3"""
    context = inside()
    one = changes.create(context, at_platform(platform, "old-key"))
    platform.keys = {"new-key"}
    rotated = changes.rotate(context, one.connection_id, NewSecrets(config={"api_key": "new-key"}), ANY)

    assert (rotated.status, rotated.version > one.version) == ("active", True)
    assert versions(rows, one.connection_id) == ["retiring", "active"]
    assert testing.test_and_save(context, one.connection_id, ANY)[0].verdict.success


def test_change_without_secrets_keeps_them(inside: Inside, rows: Rows, platform: Platform) -> None:
    """HUB 1: the kept secrets are those that the platform accepts."""
    context = inside()
    one = changes.create(context, at_platform(platform))
    wanted = ConnectionChange(config={"casino_id": "casino-2", "health_path": "/games"})
    changed = changes.change(context, one.connection_id, exactly(one.version), wanted)

    assert (changed.config["casino_id"], changed.status) == ("casino-2", "active")
    assert versions(rows, one.connection_id) == ["active"]
    assert testing.test_and_save(context, one.connection_id, ANY)[0].verdict.success
    without = ConnectionChange(config={"health_path": None})
    changed = changes.change(context, one.connection_id, exactly(changed.version), without)
    assert "health_path" not in changed.config


# ---- Use, status, deletion ----


def test_disabled_connection_refuses_before_anything_is_decrypted(inside: Inside, hub: Hub, platform: Platform) -> None:
    """HUB 15: without KMS, an enabled connection fails because of KMS, a disabled one because it is disabled."""
    context = inside()
    one = changes.create(context, at_platform(platform))
    calls, identity = platform.calls, one.connection_id
    without_kms = inside(AWS_ENDPOINT_URL=NOWHERE)
    with pytest.raises(KeyServiceUnavailable):
        testing.test_and_save(without_kms, identity, ANY)
    changes.disable(without_kms, identity, ANY)
    with pytest.raises(IntegrationNotActive):
        testing.test_and_save(without_kms, identity, ANY)

    assert platform.calls == calls
    path = f"/integrations/{identity}"
    assert hub.call("POST", f"{path}/sync").code == "INTEGRATION_NOT_ACTIVE"
    assert hub.call("GET", path).json["status"] == "disconnected"


def test_connection_changed_while_it_is_read_is_not_called(
    stack: Stack, inside: Inside, rows: Rows, platform: Platform
) -> None:
    """HUB 1: secrets of one version do not go to another version's address."""
    context = inside()
    one = changes.create(context, at_platform(platform))
    calls = platform.calls
    changed = "UPDATE integration_connections SET version = version + 1 WHERE connection_id = %s"
    waiting = """
        SELECT pid FROM pg_stat_activity
        WHERE datname = current_database() AND usename = 'causeway_credentials' AND wait_event_type = 'Lock'
    """
    for used in (testing.test_and_save, changes.enable):
        # The reader has read the connection's row, and waits here for the ciphertexts.
        with psycopg.connect(stack.database_urls["superuser"]) as writer, ThreadPoolExecutor() as pool:
            writer.execute("LOCK TABLE api_credentials")
            outcome = pool.submit(used, context, one.connection_id, ANY)
            while not rows(waiting):
                assert not outcome.done()
            writer.execute(changed, [one.connection_id])
            writer.commit()
            with pytest.raises(VersionMismatch):
                outcome.result()

    assert platform.calls == calls


def test_test_of_an_older_version_does_not_enable_a_connection(inside: Inside, platform: Platform) -> None:
    context = inside()
    one = changes.create(context, at_platform(platform))
    connection_id = one.connection_id
    disabled = changes.disable(context, connection_id, ANY)
    with pytest.raises(VersionMismatch), context.transaction() as transaction:
        connection_writes.enable(transaction, connection_id, disabled.version - 1)
    with context.transaction() as transaction:
        assert connection_rows.find(transaction, connection_id).status == "disconnected"


def test_disabled_connection_accepts_a_complete_set_of_new_secrets(
    inside: Inside, rows: Rows, platform: Platform
) -> None:
    """HUB 15: nothing stored is decrypted. Without this, a connection whose template moved could never be enabled."""
    context = inside()
    platform.keys |= {"old-key", "new-key"}
    wanted = ConnectionDraft.parse(
        draft(config=config(base_url=platform.url, api_key="old-key", api_secret="a-secret"))
    )
    one = changes.create(context, wanted)
    connection_id = one.connection_id
    disabled, calls = changes.disable(context, connection_id, ANY), platform.calls
    for given in ({"api_key": "new-key"}, {"casino_id": "casino-2"}):
        with pytest.raises(IntegrationNotActive):
            changes.change(context, connection_id, exactly(disabled.version), ConnectionChange(config=given))
    with pytest.raises(IntegrationNotActive):
        changes.rotate(context, connection_id, NewSecrets(config={"api_key": "new-key"}), ANY)
    assert platform.calls == calls

    given = {"api_key": "new-key", "api_secret": "another"}
    changed = changes.change(context, connection_id, exactly(disabled.version), ConnectionChange(config=given))
    assert changed.status == "disconnected"
    assert versions(rows, one.connection_id) == ["retired", "active"]
    platform.keys.discard("old-key")
    assert changes.enable(context, connection_id, ANY).status == "active"


def test_without_kms_nothing_is_created(inside: Inside, rows: Rows, platform: Platform) -> None:
    """HUB 5"""
    wanted = at_platform(platform)
    context = inside(AWS_ENDPOINT_URL=NOWHERE)
    before = rows(SNAPSHOT)
    with pytest.raises(KeyServiceUnavailable) as raised:
        changes.create(context, wanted)

    assert (raised.value.status, raised.value.retry_after) == (503, 5)
    assert rows(SNAPSHOT) == before
    assert platform.calls == 0


def test_disable_and_enable_test_before_use(inside: Inside, platform: Platform) -> None:
    context = inside()
    one = changes.create(context, at_platform(platform))
    identity = one.connection_id
    off = changes.disable(context, identity, ANY)
    on = changes.enable(context, identity, ANY)
    platform.keys.clear()
    changes.disable(context, identity, ANY)
    refused = changes.enable(context, identity, ANY)

    assert off.status == "disconnected"
    assert (on.status, on.error_message) == ("active", None)
    assert refused.status == "error"
    assert "does not accept these credentials" in (refused.error_message or "")


@pytest.mark.parametrize("end", ["disable", "enable"])
def test_disabling_or_enabling_twice_gives_the_same_result(hub: Hub, end: str) -> None:
    path = hub.connection()
    first, second = (hub.call("POST", f"{path}/{end}") for _ in range(2))
    assert (first.status, first.json["status"]) == (second.status, second.json["status"])


def test_test_answers_the_verdict_and_the_next_action(hub: Hub) -> None:
    """HUB 8"""
    path = hub.connection()
    reply = hub.call("POST", f"{path}/test")
    health = hub.call("GET", f"{path}/health", STAFF).json

    assert reply.status == 200
    assert (reply.json["success"], reply.json["code"]) == (False, "BLOCKED_ADDRESS")
    assert reply.json["nextAction"] == "Give the platform's public base URL."
    check = health["checks"]["connection"]
    assert (check["status"], check["code"]) == ("down", "BLOCKED_ADDRESS")
    assert (health["type"], health["status"]) == ("softswiss", "error")


def test_deletion_destroys_ciphertexts_and_keeps_audit_and_logs(hub: Hub, rows: Rows) -> None:
    path = hub.connection()
    identity = path.rsplit("/", 1)[-1]
    logs = rows("SELECT count(*) AS n FROM integration_api_logs WHERE connection_id = %s", [identity])[0].n
    assert rows("SELECT count(*) AS n FROM api_credentials WHERE connection_id = %s", [identity])[0].n == 2
    assert logs >= 1
    reply = hub.call("DELETE", path)

    assert (reply.status, reply.body) == (204, b"")
    assert rows("SELECT count(*) AS n FROM api_credentials WHERE connection_id = %s", [identity])[0].n == 0
    assert versions(rows, identity) == ["destroyed"]
    assert rows("SELECT count(*) AS n FROM integration_api_logs WHERE connection_id = %s", [identity])[0].n == logs
    actions = [entry["action"] for entry in hub.audited(path)]
    assert actions[0] == "connection.created"
    assert actions[-1] == "connection.deleted"


@pytest.mark.parametrize(
    ("method", "end"),
    [
        *(("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/test"), ("POST", "/sync"), ("POST", "/enable")),
        *(("POST", "/disable"), ("POST", "/credentials/rotate"), ("POST", "/credentials/rollback"), ("GET", "/health")),
    ],
)
def test_deleted_connection_is_not_found(hub: Hub, method: str, end: str) -> None:
    path = hub.connection()
    hub.call("DELETE", path)
    body = {"config": {"api_key": "x"}} if method == "PATCH" or end == "/credentials/rotate" else None
    replies = [hub.call(method, there + end, body=body, if_match='"1"') for there in (path, f"/integrations/{uuid4()}")]
    assert replies[0].essence == replies[1].essence
    assert replies[0].status == 404


def test_logs_of_a_deleted_connection_can_still_be_read(hub: Hub) -> None:
    """HUB 16: by the id in the audit log, by callers who may read logs, and by nobody else."""
    path = hub.connection()
    before = hub.call("GET", f"{path}/logs").json
    hub.call("DELETE", path)

    assert len(before["logs"]) == 1
    for caller in (ADMIN, REGULATOR):
        assert hub.call("GET", f"{path}/logs", caller).json == before
    assert hub.call("GET", f"{path}/logs", STAFF).status == 403
    assert hub.call("GET", f"{path}/logs", THEIR_ADMIN).status == 404


def test_every_change_is_audited_with_actor_and_source(hub: Hub, rows: Rows) -> None:
    """HUB 44"""
    path = hub.connection()
    seen = hub.call("GET", path).etag
    hub.call("PATCH", path, body={"description": "audited"}, if_match=seen)
    hub.call("POST", f"{path}/credentials/rotate", body={"config": {"api_key": "new"}})
    hub.call("POST", f"{path}/disable")
    hub.call("POST", f"{path}/enable")
    activate(rows, path)
    hub.synced(path)
    hub.call("DELETE", path)
    entries = hub.audited(path)

    assert [(entry["action"], entry["outcome"]) for entry in entries] == [
        ("connection.created", "done"),
        ("credential.stored", "done"),
        ("connection.tested", "failed"),
        ("connection.changed", "done"),
        ("connection.tested", "failed"),
        ("connection.disabled", "done"),
        ("connection.enabled", "done"),
        ("connection.tested", "failed"),
        ("sync.requested", "done"),
        ("sync.ended", "failed"),
        ("credential.destroyed", "done"),
        ("connection.deleted", "done"),
    ]
    # No caller requested this entry: it is the result of the request before.
    [ended] = [entry for entry in entries if entry["action"] == "sync.ended"]
    assert (ended["actorKind"], ended["actor"], ended["actorRole"]) == ("system", "sync-run", None)
    asked = [entry for entry in entries if entry != ended]
    assert {(entry["actorKind"], entry["actorRole"], entry["sourceIp"]) for entry in asked} == {
        ("person", "tenant_admin", "127.0.0.1")
    }
    assert all(entry["requestId"] for entry in asked)
    changed = entries[3]
    assert (changed["before"]["description"], changed["after"]["description"]) == ("", "audited")


# ---- Lists ----


def every(hub: Hub, path: str, key: str, **query: str) -> list[list[dict[str, Any]]]:
    """All pages of a list."""
    pages, cursor = [], None
    while True:
        asked = query | ({"cursor": cursor} if cursor else {})
        reply = hub.call("GET", path + "?" + "&".join(f"{name}={value}" for name, value in asked.items()))
        assert reply.status == 200, reply
        pages.append(reply.json[key])
        cursor = reply.json["nextCursor"]
        if cursor is None:
            return pages


def test_pages_have_everything_once_while_others_are_added(hub: Hub) -> None:
    there = [hub.created().json["id"] for _ in range(7)]
    newest = hub.call("GET", "/integrations?limit=3").json
    found, cursor = [one["id"] for one in newest["integrations"]], newest["nextCursor"]
    while cursor is not None:
        hub.created()
        page = hub.call("GET", f"/integrations?limit=3&cursor={cursor}").json
        found += [one["id"] for one in page["integrations"]]
        cursor = page["nextCursor"]

    assert len(found) == len(set(found))
    assert found[:7] == list(reversed(there))


def test_pages_have_everything_once_with_equal_creation_times(hub: Hub, rows: Rows) -> None:
    """The id decides between equal times, at any page edge."""
    there = {hub.created(environment="sandbox").json["id"] for _ in range(5)}
    rows(
        "UPDATE integration_connections SET created_at = '2026-01-01' WHERE connection_id = ANY (%s::uuid[])",
        [list(there)],
    )
    found = [one["id"] for page in every(hub, "/integrations", "integrations", limit="2") for one in page]
    assert len(found) == len(set(found))
    assert there <= set(found)


def test_list_is_filtered_by_kind_status_and_provider(hub: Hub, rows: Rows) -> None:
    casino = hub.connection()
    activate(rows, casino)
    identity = casino.rsplit("/", 1)[-1]

    def ids(**query: str) -> set[str]:
        pages = every(hub, "/integrations", "integrations", **query)
        return {one["id"] for page in pages for one in page}

    assert identity in ids(status="active") & ids(kind="casino_platform") & ids(provider="softswiss")
    assert identity not in ids(status="error") | ids(kind="messaging") | ids(provider="twilio")
    assert ids(kind="casino_platform", provider="softswiss", status="active") >= {identity}


@pytest.mark.parametrize(
    "query",
    [
        *("limit=0", "limit=101", "limit=x", "limit=-1", "limit=%C2%B2", "status=moon", "unknown=1", "cursor=x"),
        *("cursor=%00", "cursor=", "kind=%00", "provider=a%00b", "cursor=MjAyNiBub3QtYS11dWlk", "limit=1&limit=2"),
        *("kind=no_such_kind", "kind=crm&kind=messaging", "provider=twilio&provider=stripe", "provider=Twilio"),
    ],
)
def test_malformed_query_is_refused(hub: Hub, query: str) -> None:
    reply = hub.call("GET", f"/integrations?{query}")
    assert (reply.status, reply.code) == (400, "INVALID_REQUEST"), reply


def test_logs_are_paged_newest_first(hub: Hub) -> None:
    """HUB 16"""
    path = hub.connection()
    for _ in range(4):
        hub.call("POST", f"{path}/test")
    pages = every(hub, f"{path}/logs", "logs", limit="2")
    rows = [row for page in pages for row in page]

    assert [len(page) for page in pages] == [2, 2, 1]
    assert [row["id"] for row in rows] == sorted((row["id"] for row in rows), reverse=True)
    assert {(row["method"], row["status"], row["error"]) for row in rows} == {("GET", None, "AddressBlocked")}
    assert len({row["requestId"] for row in rows}) == 5


@pytest.mark.parametrize("character", ["\x01", '"', "\\", "\U0001f600"], ids=ascii)
def test_page_of_logs_fits_into_an_answer(hub: Hub, rows: Rows, character: str) -> None:
    """HUB 16: 6 MB, with the body as the string that a function returns; the rest is on the next page."""
    path = hub.connection()
    rows(
        """
        WITH logged AS (
            INSERT INTO integration_api_logs (
                tenant_id, connection_id, method, url, milliseconds, request_id, actor_kind, actor
            )
            SELECT tenant_id, connection_id, 'GET', 'https://h.test/' || repeat('x', 16000), 1, 'long', 'system', 'test'
            FROM integration_connections, generate_series(1, 110) WHERE connection_id = %(connection)s
            RETURNING tenant_id, log_id
        )
        INSERT INTO integration_api_log_bodies (tenant_id, log_id, request_body, response_body)
        SELECT tenant_id, log_id, repeat(%(character)s, 4096), repeat(%(character)s, 4096) FROM logged
        """,
        {"character": character, "connection": path.rsplit("/", 1)[-1]},
    )
    before = len(hub.seen)
    pages = every(hub, f"{path}/logs", "logs", limit="100")
    answers = [json.dumps(reply.body.decode(), ensure_ascii=False) for reply in hub.seen[before:]]
    # The way back has the same pages, although they come in parts.
    prev, back = hub.seen[-1].json["prevCursor"], pages[-1:]
    while prev is not None:
        reply = hub.call("GET", f"{path}/logs?limit=100&cursor={prev}")
        prev, back = reply.json["prevCursor"], [reply.json["logs"], *back]

    assert back == pages
    assert max(len(answer.encode()) for answer in answers) < 6_000_000
    numbers = [row["id"] for page in pages for row in page]
    assert (len(numbers), numbers) == (111, sorted(set(numbers), reverse=True))


@pytest.mark.parametrize("query", ["limit=0", "cursor=x", "cursor=-1", "unknown=1", "cursor=99999999999999999999"])
def test_malformed_query_of_logs_is_refused(hub: Hub, query: str) -> None:
    reply = hub.call("GET", f"{hub.connection()}/logs?{query}")
    assert (reply.status, reply.code) == (400, "INVALID_REQUEST")


def test_staff_see_no_configuration_and_regulators_do(hub: Hub) -> None:
    """HUB 43"""
    path = hub.connection()
    assert "config" not in hub.call("GET", path, STAFF).json
    assert not [one for one in hub.call("GET", "/integrations", STAFF).json["integrations"] if "config" in one]
    assert hub.call("GET", path, REGULATOR).json["config"]["casino_id"] == "casino-1"


def test_super_admin_with_an_unknown_tenant_is_refused(hub: Hub) -> None:
    """HUB 43: the deployment's chain does not count as a tenant's."""
    for tenant in (str(uuid4()), "x", str(UUID(int=0))):
        reply = hub.call("GET", "/integrations", DEPLOYMENT_ADMIN, x_tenant_id=tenant)
        assert (reply.status, reply.code) == (404, "TENANT_NOT_FOUND")
    assert hub.call("GET", "/integrations", DEPLOYMENT_ADMIN, x_tenant_id=TENANTS[OURS]).status == 200


# ---- At the sandbox's platforms, through the function itself ----


def demo(provider: str, **changes: str) -> dict[str, Any]:
    """The draft of a connection with the credentials that the sandbox accepts."""
    return draft(templateId=provider, config=demo_credentials(provider) | changes)


@pytest.mark.parametrize("provider", platforms())
def test_demo_credentials_work_unchanged(hub: Hub, provider: str) -> None:
    """HUB 8: for every platform."""
    made = hub.call("POST", "/integrations", body=demo(provider))
    path = made.headers["location"]
    tested = hub.call("POST", f"{path}/test")
    health = hub.call("GET", f"{path}/health").json

    assert (made.json["status"], made.json["isActive"], made.json["errorMessage"]) == ("active", True, None)
    assert (tested.json["success"], tested.json["code"]) == (True, "CONNECTED")
    assert health["checks"]["connection"]["status"] == "healthy"


NOT_TOLD = {"accountName": None, "accountId": None, "locationId": None}


def test_test_tells_the_account_as_the_platform_names_it(hub: Hub, rows: Rows) -> None:
    """It is stored nowhere, neither for a replay nor in the audit log: an account's name may be a person's."""
    path = hub.call("POST", "/integrations", body=demo("gohighlevel")).headers["location"]
    tested = hub.call("POST", f"{path}/test", idempotency_key=path).json
    again = hub.call("POST", f"{path}/test", idempotency_key=path).json
    kept = [row[0] for row in rows("SELECT k::text FROM idempotency_keys AS k WHERE idempotency_key = %s", [path])]
    entry = hub.audited(path)[-1]

    assert tested["details"] == {
        "accountName": "Causeway sandbox",
        "accountId": "5DP4iH6HLkQsiKESj6rh",
        "locationId": demo_credentials("gohighlevel")["locationId"],
    }
    assert again == tested | {"details": NOT_TOLD}
    assert len(kept) == 1
    assert not [detail for detail in tested["details"].values() if detail in kept[0]]
    assert entry["action"] == "connection.tested"
    assert entry["after"] == {name: value for name, value in tested.items() if name != "details"}


def test_test_tells_no_account_where_the_platform_tells_none_or_refuses(hub: Hub) -> None:
    answers = []
    for wanted in (demo("stripe"), demo("gohighlevel", apiKey="sandbox-fault-401")):
        path = hub.call("POST", "/integrations", body=wanted).headers["location"]
        answers.append(hub.call("POST", f"{path}/test").json)

    assert [(answer["success"], answer["details"]) for answer in answers] == [(True, NOT_TOLD), (False, NOT_TOLD)]


@pytest.mark.parametrize(
    ("fault", "code", "status"),
    [
        ("401", "INVALID_CREDENTIALS", "down"),
        ("403", "PROVIDER_FORBIDDEN", "down"),
        ("429", "RATE_LIMITED", "degraded"),
        ("500", "PROVIDER_ERROR", "degraded"),
        ("garbage", "UNEXPECTED_ANSWER", "degraded"),
        ("silent", "TIMED_OUT", "degraded"),
    ],
)
def test_verdict_names_the_fault(hub: Hub, fault: str, code: str, status: str) -> None:
    """HUB 8, 49: a connection that never worked is an error if it was refused; otherwise it stays pending."""
    made = hub.call("POST", "/integrations", body=demo("twilio", auth_token=f"sandbox-fault-{fault}"))
    check = hub.call("GET", f"{made.headers['location']}/health").json["checks"]["connection"]

    expected = "error" if fault in ("401", "403") else "pending"
    assert (made.status, made.json["status"], made.json["isActive"]) == (201, expected, False)
    assert (check["code"], check["status"]) == (code, status)
    assert check["nextAction"]
    assert made.json["errorMessage"].endswith(check["nextAction"])


def test_working_credential_survives_a_wrong_one_and_is_not_replaced_by_itself(hub: Hub, rows: Rows) -> None:
    """HUB 3, 8: through the function."""
    made = hub.call("POST", "/integrations", body=demo("twilio"))
    path, identity = made.headers["location"], made.json["id"]
    wrong = {"config": {"auth_token": "wrong"}}
    rotated = hub.call("POST", f"{path}/credentials/rotate", body=wrong)
    changed = hub.call("PATCH", path, body=wrong, if_match=hub.call("GET", path).etag)

    assert [(one.status, one.code) for one in (rotated, changed)] == [(422, "INVALID_CREDENTIALS")] * 2
    assert versions(rows, identity) == ["active"]
    assert hub.call("GET", path).etag == made.etag
    assert hub.call("POST", f"{path}/test").json["success"] is True

    good = {"config": {"auth_token": demo_credentials("twilio")["auth_token"]}}
    again = hub.call("POST", f"{path}/credentials/rotate", body=good)
    assert (again.status, again.code) == (400, "INVALID_REQUEST")
    assert again.json["error"] == "config must have other secrets than those in use"
    assert versions(rows, identity) == ["active"]
    assert hub.synced(path)["status"] == "failed"


NOT_SECRET = "is not a secret field of this template"


@pytest.mark.parametrize(
    ("sent", "problems"),
    [
        ({"account_sid": "x"}, [("config.account_sid", NOT_SECRET)]),
        (
            {"unknown": CANARY, "account_sid": CANARY, "auth_token": CANARY},
            [("config.account_sid", NOT_SECRET), ("config.unknown", NOT_SECRET)],
        ),
        ({CANARY: "x"}, [("config.<unnamed>", NOT_SECRET)]),
        (
            {f"field_{letter}": "x" for letter in "abcdef"},
            [(f"config.field_{letter}", NOT_SECRET) for letter in "abcde"],
        ),
        ({}, [("config", "must have at least one secret field")]),
    ],
)
def test_rotation_accepts_secret_fields_only(
    hub: Hub, rows: Rows, sent: dict[str, str], problems: list[tuple[str, str]]
) -> None:
    """Up to five fields are named, and no value."""
    path = hub.call("POST", "/integrations", body=demo("twilio")).headers["location"]
    before = rows(SNAPSHOT)
    reply = hub.call("POST", f"{path}/credentials/rotate", body={"config": sent})

    assert (reply.status, reply.code) == (400, "INVALID_REQUEST")
    assert reply.json["error"] == "; ".join(f"{path} {rule}" for path, rule in problems)
    assert reply.json["problems"] == [{"path": path, "rule": rule} for path, rule in problems]
    assert rows(SNAPSHOT) == before


def test_stored_secrets_are_not_sent_to_a_new_address(inside: Inside, hub: Hub, rows: Rows, platform: Platform) -> None:
    """HUB 1: otherwise an admin could read them at a server of the admin's own."""
    context = inside()
    one = changes.create(context, at_platform(platform))
    other = Platform()
    path = f"/integrations/{one.connection_id}"
    before = rows(SNAPSHOT)
    for config_sent in ({"base_url": other.url}, {"base_url": other.url, "api_key": "good-key"}):
        with pytest.raises(SecretsRequired):
            changes.change(context, one.connection_id, exactly(one.version), ConnectionChange(config=config_sent))
    calls = other.calls
    other.close()

    assert calls == 0
    assert rows(SNAPSHOT) == before
    assert hub.call("GET", path).json["config"]["base_url"] == platform.url
    # HUB 44: the attempt is audited; the second one within five minutes is counted.
    told = [entry for entry in hub.audited(path) if entry["outcome"] == "refused"]
    assert [(entry["action"], entry["after"]) for entry in told] == [
        ("connection.changed", {"refused": "SECRETS_REQUIRED", "fields": ["base_url"]}),
    ]


@pytest.mark.parametrize("form", ["urn:uuid:{}", "%7B{}%7D", "{}0", "x"])
def test_id_in_another_spelling_is_not_found(hub: Hub, form: str) -> None:
    made = hub.connection().rsplit("/", 1)[-1]
    for path in (form.format(made), made.replace("-", "")):
        reply = hub.call("GET", f"/integrations/{path}")
        assert (reply.status, reply.code) == (404, "CONNECTION_NOT_FOUND")
    assert hub.call("GET", f"/integrations/{made.upper()}").status == 200
