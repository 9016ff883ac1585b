"""Rotation and rollback: the old credential is kept for a while, one is active, none is sent to another address."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from secrets import token_hex
from typing import Any
from uuid import UUID

import pytest

from causeway.connections import changes, testing, use
from causeway.connections.connection import ConnectionRow
from causeway.connections.requests import ConnectionChange, ConnectionDraft, NewSecrets
from causeway.errors.catalogue import ConfigSchemaInvalid
from causeway.errors.connections import TemplateMoved
from causeway.errors.platforms import InvalidCredentials
from causeway.errors.requests import VersionMismatch
from causeway.errors.vault import CredentialUnreadable, NothingToRollBack
from causeway.platforms.open_account import OpenAccount
from causeway.tenancy.context import RequestContext
from causeway.wire.preconditions import ANY
from local.sandbox.registry import demo_credentials
from local.stack import Stack
from tests.database.parallel import at_once
from tests.hub.client import REGULATOR, STAFF, Hub, Reply, config, draft, exactly
from tests.hub.conftest import Platform

Rows = Callable[..., list[Any]]
Inside = Callable[..., RequestContext]
FIRST, SECOND = "whsec_first-c4nary-90af", "whsec_second-c4nary-17bd"


@pytest.fixture
def path(hub: Hub) -> str:
    """A working connection with one stored credential; the platform's test does not use one of its secrets."""
    made = draft(templateId="stripe", config={**demo_credentials("stripe"), "webhook_secret": FIRST})
    reply = hub.call("POST", "/integrations", body=made)
    assert (reply.status, reply.json["status"]) == (201, "active"), reply
    return reply.headers["location"]


def rotated(hub: Hub, path: str, secret: str = SECOND) -> Reply:
    reply = hub.call("POST", f"{path}/credentials/rotate", body={"config": {"webhook_secret": secret}})
    assert (reply.status, reply.json["status"]) == (200, "active"), reply
    return reply


def rolled_back(hub: Hub, path: str) -> Reply:
    return hub.call("POST", f"{path}/credentials/rollback")


def statuses(rows: Rows, path: str | UUID) -> list[str]:
    """The statuses of the connection's versions, oldest first."""
    statement = "SELECT status FROM api_credential_versions WHERE connection_id = %s ORDER BY version"
    return [row.status for row in rows(statement, [str(path).rsplit("/", 1)[-1]])]


def aged(rows: Rows, path: str, **time: float) -> None:
    """Move the last change of the connection's versions into the past."""
    statement = "UPDATE api_credential_versions SET changed_at = changed_at - %s WHERE connection_id = %s"
    rows(statement, [timedelta(**time), path.rsplit("/", 1)[-1]])


def fingerprints(entry: dict[str, Any], when: str) -> dict[str, str]:
    return entry[when]["secrets"]


def test_rotation_is_rolled_back_once(hub: Hub, rows: Rows, path: str) -> None:
    """HUB 3"""
    after = rotated(hub, path)
    back = rolled_back(hub, path)

    assert (back.status, back.json["status"], back.json["isActive"]) == (200, "active", True)
    assert int(back.etag.strip('"')) > int(after.etag.strip('"'))
    assert hub.call("GET", path).etag == back.etag
    assert statuses(rows, path) == ["active", "retired"]
    assert hub.call("POST", f"{path}/test").json["code"] == "CONNECTED"

    again = rolled_back(hub, path)
    assert (again.status, again.code) == (409, "NOTHING_TO_ROLL_BACK")
    assert statuses(rows, path) == ["active", "retired"]
    assert hub.call("GET", path).etag == back.etag


def test_rollback_is_in_the_audit_log_as_fingerprints(hub: Hub, path: str) -> None:
    """HUB 44: the credential from before the rotation is active again."""
    rotated(hub, path)
    rolled_back(hub, path)
    entries = hub.audited(path)
    by_action = {entry["action"]: entry for entry in entries}
    stored, forth, back = (by_action[f"credential.{done}"] for done in ("stored", "rotated", "rolled_back"))

    assert fingerprints(stored, "after") == fingerprints(forth, "before") == fingerprints(back, "after")
    assert fingerprints(forth, "after") == fingerprints(back, "before")
    assert fingerprints(back, "before")["webhook_secret"] != fingerprints(back, "after")["webhook_secret"]
    assert fingerprints(back, "before")["api_key"] == fingerprints(back, "after")["api_key"]
    assert (back["outcome"], back["actorRole"], entries[-1]) == ("done", "tenant_admin", back)
    assert "c4nary" not in str(entries)


def test_connection_has_the_end_of_its_rollback_time(hub: Hub, path: str) -> None:
    assert "rollbackUntil" not in hub.call("GET", path).json
    before = datetime.now(UTC)
    rotated(hub, path)
    for caller in (REGULATOR, STAFF):
        until = datetime.fromisoformat(hub.call("GET", path, caller).json["rollbackUntil"])
        assert timedelta(hours=23) < until - before < timedelta(hours=25)
    rolled_back(hub, path)
    assert "rollbackUntil" not in hub.call("GET", path).json


def test_connection_without_a_rotation_cannot_be_rolled_back(hub: Hub, rows: Rows, path: str) -> None:
    """HUB 3: a change of other settings is no rotation."""
    changed = hub.call("PATCH", path, body={"description": "other"}, if_match=hub.call("GET", path).etag)
    assert changed.status == 200, changed
    reply = rolled_back(hub, path)

    assert (reply.status, reply.code) == (409, "NOTHING_TO_ROLL_BACK")
    assert statuses(rows, path) == ["active"]


def test_credential_refused_by_the_platform_is_not_restored(hub: Hub, rows: Rows) -> None:
    """HUB 8: the first credential never worked; the active one stays; API log and audit log have the attempt."""
    wrong = draft(templateId="twilio", config={**demo_credentials("twilio"), "auth_token": "wrong-c4nary-5e"})
    path = hub.call("POST", "/integrations", body=wrong).headers["location"]
    good = {"config": {"auth_token": demo_credentials("twilio")["auth_token"]}}
    after = hub.call("POST", f"{path}/credentials/rotate", body=good)
    assert (after.status, after.json["status"]) == (200, "active"), after
    for _ in range(2):
        reply = rolled_back(hub, path)
        assert (reply.status, reply.code) == (422, "INVALID_CREDENTIALS")

    assert statuses(rows, path) == ["retiring", "active"]
    now = hub.call("GET", path)
    assert (now.json["status"], now.etag) == ("active", after.etag)
    assert hub.call("POST", f"{path}/test").json["code"] == "CONNECTED"
    tests = [entry for entry in hub.audited(path) if entry["action"] == "connection.tested"]
    assert [entry["outcome"] for entry in tests] == ["failed", "failed", "failed", "done"]
    assert [row["status"] for row in hub.call("GET", f"{path}/logs").json["logs"]] == [200, 401, 401, 200, 401]


def test_working_old_credential_replaces_a_broken_new_one(inside: Inside, rows: Rows, platform: Platform) -> None:
    """HUB 3: this is the purpose of a rollback; only the old credential has to work."""
    context = inside()
    one = made(context, platform, "old-key")
    platform.keys = {"old-key", "new-key"}
    changes.rotate(context, one, NewSecrets(config={"api_key": "new-key"}), ANY)
    platform.keys = {"old-key"}
    assert not testing.test_and_save(context, one, ANY)[0].verdict.success
    back = changes.roll_back(context, one, ANY)

    assert (back.status, back.error_message) == ("active", None)
    assert statuses(rows, one) == ["active", "retired"]


def test_old_credential_that_no_longer_works_is_refused_and_the_new_one_stays(
    inside: Inside, rows: Rows, platform: Platform
) -> None:
    """HUB 8"""
    context = inside()
    one = made(context, platform, "old-key")
    platform.keys = {"new-key"}
    changes.rotate(context, one, NewSecrets(config={"api_key": "new-key"}), ANY)
    with pytest.raises(InvalidCredentials):
        changes.roll_back(context, one, ANY)

    assert statuses(rows, one) == ["retiring", "active"]
    assert testing.test_and_save(context, one, ANY)[0].verdict.success


def test_running_call_finishes_with_its_first_credential(inside: Inside, rows: Rows, platform: Platform) -> None:
    """HUB 3: even if it is rotated, rolled back or destroyed meanwhile."""
    context = inside()
    one = made(context, platform, "old-key")
    platform.keys = {"old-key", "new-key"}

    def called(by: OpenAccount) -> int:
        return by.call("GET", "/players", headers={"x-api-key": by.account.secrets["api_key"]}).status

    with use.open_connection(context, one) as old:
        changes.rotate(context, one, NewSecrets(config={"api_key": "new-key"}), ANY)
        assert called(old) == 200
        with use.open_connection(context, one) as new:
            changes.roll_back(context, one, ANY)
            changes.delete(context, one, ANY)
            platform.keys = {"new-key"}
            assert called(new) == 200
            with pytest.raises(InvalidCredentials):
                called(old)


def made(context: RequestContext, platform: Platform, key: str, **more: str) -> UUID:
    """A connection to a platform that accepts this key; returns its id."""
    platform.keys.add(key)
    wanted = ConnectionDraft.parse(draft(config=config(base_url=platform.url, api_key=key, **more)))
    return changes.create(context, wanted).connection_id


def test_rollback_does_not_restore_secrets_of_another_address(
    inside: Inside, hub: Hub, rows: Rows, platform: Platform
) -> None:
    """HUB 1: otherwise an admin could send them to a server of the admin's own by rotating, moving and rolling back."""
    context = inside()
    one = made(context, platform, "first-key")
    platform.keys.add("second-key")
    changes.rotate(context, one, NewSecrets(config={"api_key": "second-key"}), ANY)
    elsewhere = Platform()
    elsewhere.keys = {"first-key", "second-key", "third-key"}
    try:
        moved = {"base_url": elsewhere.url, "api_key": "third-key", "api_secret": token_hex(8)}
        version = int(hub.call("GET", f"/integrations/{one}").etag.strip('"'))
        changes.change(context, one, exactly(version), ConnectionChange(config=moved))
        calls = elsewhere.calls

        assert statuses(rows, one) == ["retired", "retired", "active"]
        with pytest.raises(NothingToRollBack):
            changes.roll_back(context, one, ANY)
        assert elsewhere.calls == calls
        assert hub.audited(f"/integrations/{one}")[-1]["action"] == "credential.retired"
    finally:
        elsewhere.close()


def test_moving_with_the_active_secrets_retires_the_old_ones_too(
    inside: Inside, hub: Hub, rows: Rows, platform: Platform
) -> None:
    """HUB 1: nothing is encrypted again, but secrets given for the old address stay there."""
    context = inside()
    one = made(context, platform, "first-key", api_secret="the-secret")
    platform.keys.add("second-key")
    changes.rotate(context, one, NewSecrets(config={"api_key": "second-key"}), ANY)
    version = int(hub.call("GET", f"/integrations/{one}").etag.strip('"'))
    moved = {"base_url": f"{platform.url}/v2", "api_key": "second-key", "api_secret": "the-secret"}
    changes.change(context, one, exactly(version), ConnectionChange(config=moved))

    assert statuses(rows, one) == ["retired", "active"]
    with pytest.raises(NothingToRollBack):
        changes.roll_back(context, one, ANY)


def test_moved_template_gets_no_old_secret(inside: Inside, rows: Rows, platform: Platform) -> None:
    """HUB 1: neither before the tenant's admin agrees to the change, nor by agreeing with other secrets."""
    context = inside()
    one = made(context, platform, "first-key", api_secret="the-secret")
    platform.keys |= {"second-key", "third-key"}
    changes.rotate(context, one, NewSecrets(config={"api_key": "second-key"}), ANY)
    kept = (
        "SELECT health_call::text AS call, changed_by_admin FROM integration_providers WHERE provider_key = 'softswiss'"
    )
    [before] = rows(kept)
    calls = platform.calls
    rows(
        "UPDATE integration_providers SET changed_by_admin = true, "
        """health_call = jsonb_set(health_call, '{headers}', health_call -> 'headers' || '{"X-Other": "1"}') """
        "WHERE provider_key = 'softswiss'"
    )
    try:
        with pytest.raises(TemplateMoved):
            changes.roll_back(context, one, ANY)
        assert platform.calls == calls
        changes.rotate(context, one, NewSecrets(config={"api_key": "third-key", "api_secret": "the-secret"}), ANY)
        with pytest.raises(NothingToRollBack):
            changes.roll_back(context, one, ANY)
    finally:
        rows(
            "UPDATE integration_providers SET health_call = %s::jsonb, changed_by_admin = %s "
            "WHERE provider_key = 'softswiss'",
            [before.call, before.changed_by_admin],
        )
    assert statuses(rows, one) == ["retired", "retired", "active"]


def spoiled(rows: Rows, connection_id: UUID, version: int) -> None:
    """Change one byte of each ciphertext of a version."""
    statement = "UPDATE api_credentials SET ciphertext = set_byte(ciphertext, 20, get_byte(ciphertext, 20) # 1) "
    rows(f"{statement} WHERE connection_id = %s AND version = %s", [connection_id, version])


@pytest.mark.parametrize("by", ["rotate", "change"])
def test_unreadable_credential_is_replaced_by_a_complete_new_one(
    inside: Inside, hub: Hub, rows: Rows, platform: Platform, by: str
) -> None:
    """HUB 3: as CREDENTIAL_UNREADABLE says; a part of it is not enough, and the old one is not restored."""
    context = inside()
    one = made(context, platform, "old-key")
    platform.keys = {"new-key"}
    spoiled(rows, one, 1)

    def replaced(**secrets: str | None) -> ConnectionRow:
        if by == "rotate":
            return changes.rotate(context, one, NewSecrets(config=secrets), ANY)
        return changes.change(context, one, exactly(1), ConnectionChange(config=secrets))

    with pytest.raises(CredentialUnreadable):
        replaced(api_key="new-key")
    assert replaced(api_key="new-key", api_secret="new-secret").status == "active"

    assert statuses(rows, one) == ["retired", "active"]
    assert testing.test_and_save(context, one, ANY)[0].verdict.success
    with pytest.raises(NothingToRollBack):
        changes.roll_back(context, one, ANY)
    assert hub.audited(f"/integrations/{one}")[-2]["action"] == "credential.retired"


def test_old_credential_replaces_an_unreadable_one(inside: Inside, hub: Hub, rows: Rows, platform: Platform) -> None:
    """HUB 3: the unreadable credential has no fingerprints; the audit log records the rollback all the same."""
    context = inside()
    one = made(context, platform, "old-key")
    platform.keys.add("new-key")
    changes.rotate(context, one, NewSecrets(config={"api_key": "new-key"}), ANY)
    spoiled(rows, one, 2)

    assert changes.roll_back(context, one, ANY).status == "active"
    assert statuses(rows, one) == ["active", "retired"]
    back = hub.audited(f"/integrations/{one}")[-1]
    assert (back["action"], fingerprints(back, "before")) == ("credential.rolled_back", {})


def test_old_credential_that_the_new_schema_refuses_is_not_restored(
    inside: Inside, rows: Rows, platform: Platform
) -> None:
    """HUB 8: the platform is not called."""
    context = inside()
    one = made(context, platform, "old-key")
    platform.keys.add("new-key")
    changes.rotate(context, one, NewSecrets(config={"api_key": "new-key"}), ANY)
    calls = platform.calls
    [before] = rows(
        "SELECT config_schema::text AS schema, changed_by_admin AS changed FROM integration_providers "
        "WHERE provider_key = 'softswiss'"
    )
    write = (
        "UPDATE integration_providers SET config_schema = %s::jsonb, changed_by_admin = %s "
        "WHERE provider_key = 'softswiss'"
    )
    schema = json.loads(before.schema)
    schema["properties"]["api_key"]["pattern"] = "^new-"
    rows(write, [json.dumps(schema), False])
    try:
        with pytest.raises(ConfigSchemaInvalid, match="api_key"):
            changes.roll_back(context, one, ANY)
    finally:
        rows(write, [before.schema, before.changed])

    assert platform.calls == calls
    assert statuses(rows, one) == ["retiring", "active"]


class Meddling(set[str]):
    """A platform's keys; looking one up runs something else first."""

    def __init__(self, keys: set[str], meanwhile: Callable[[], object]) -> None:
        super().__init__(keys)
        self._meanwhile = meanwhile

    def __contains__(self, key: object) -> bool:
        self._meanwhile()
        return super().__contains__(key)


def test_connection_changed_during_the_test_is_not_rolled_back(inside: Inside, rows: Rows, platform: Platform) -> None:
    """HUB 2: only the version that was tested is changed, or none."""
    context = inside()
    one = made(context, platform, "old-key")
    platform.keys.add("new-key")
    changes.rotate(context, one, NewSecrets(config={"api_key": "new-key"}), ANY)
    changed = "UPDATE integration_connections SET name = name || '!', version = version + 1 WHERE connection_id = %s"
    platform.keys = Meddling(platform.keys, lambda: rows(changed, [one]))
    with pytest.raises(VersionMismatch):
        changes.roll_back(context, one, ANY)

    assert statuses(rows, one) == ["retiring", "active"]


def test_disabled_connection_is_not_rolled_back(hub: Hub, rows: Rows, path: str) -> None:
    """HUB 15"""
    rotated(hub, path)
    assert hub.call("POST", f"{path}/disable").status == 200
    reply = rolled_back(hub, path)

    assert (reply.status, reply.code) == (409, "INTEGRATION_NOT_ACTIVE")
    assert statuses(rows, path) == ["retiring", "active"]


@pytest.mark.parametrize("attempt", range(3))
def test_concurrent_rollbacks_and_rotations_leave_one_active_credential(
    hub: Hub, rows: Rows, path: str, attempt: int
) -> None:
    """HUB 3: each call succeeds, or learns that it was too late; nothing in between."""
    rotated(hub, path)
    rotate = f"{path}/credentials/rotate"
    replies = at_once(
        [partial(rolled_back, hub, path)] * 4
        + [
            partial(hub.call, "POST", rotate, body={"config": {"webhook_secret": f"whsec_{attempt}-{n}"}})
            for n in range(4)
        ]
    )

    # 429 and 503: more concurrent environments than the function may have here.
    told = {(reply.status, reply.code) for reply in replies}
    assert told <= {(200, ""), (409, "CHANGED_MEANWHILE"), (409, "NOTHING_TO_ROLL_BACK"), (429, ""), (503, "")}, told
    assert (200, "") in told
    assert statuses(rows, path).count("active") == 1
    assert statuses(rows, path).count("retiring") <= 1
    assert hub.call("POST", f"{path}/test").json["code"] == "CONNECTED"


def test_schedule_ends_the_overlap_and_destroys_replaced_credentials(
    hub: Hub, stack: Stack, rows: Rows, path: str
) -> None:
    """HUB 3, 44: through the function itself; the active credential stays."""
    rotated(hub, path)
    aged(rows, path, hours=25)
    assert (late := rolled_back(hub, path)).code == "NOTHING_TO_ROLL_BACK", late
    assert stack.invoke("key-rotation", {})["retired"] >= 1
    assert statuses(rows, path) == ["retired", "active"]

    aged(rows, path, days=31)
    assert stack.invoke("key-rotation", {})["destroyed"] >= 1
    assert statuses(rows, path) == ["destroyed", "active"]
    kept = rows("SELECT DISTINCT version FROM api_credentials WHERE connection_id = %s", [path.rsplit("/", 1)[-1]])
    assert [row.version for row in kept] == [2]
    by_schedule = [entry for entry in hub.audited(path) if entry["actorKind"] == "system"]
    assert [(entry["action"], entry["actor"], entry["after"]) for entry in by_schedule] == [
        ("credential.retired", "credential-retention", {"versions": [1]}),
        ("credential.destroyed", "credential-retention", {"versions": [1]}),
    ]
    assert hub.call("POST", f"{path}/test").json["code"] == "CONNECTED"
