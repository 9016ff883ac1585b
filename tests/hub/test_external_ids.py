"""The tenant's own id and metadata of a connection: unique, addressed by ext:, listed, changed, and never a secret."""

from collections.abc import Callable
from secrets import token_hex
from typing import Any
from urllib.parse import quote

import pytest

from causeway.wire import base64url
from tests.database.parallel import at_once
from tests.hub.client import ADMIN, STAFF, THEIR_ADMIN, Hub, config, draft, machine
from tests.hub.snapshots import SNAPSHOT

Rows = Callable[..., list[Any]]
METADATA = {"floor": 2, "teams": ["bookings", {"name": "night \u2600"}], "open": True, "note": None}


def own_id() -> str:
    """An external id that no connection has."""
    return f"own-{token_hex(6)}"


# ---- The external id ----


def test_connection_shows_its_external_id_and_metadata_to_all_who_see_it(hub: Hub) -> None:
    external_id = own_id()
    made = hub.created(externalId=external_id, metadata=METADATA)
    path = f"/integrations/ext:{external_id}"
    seen = [
        hub.call("GET", path),
        hub.call("GET", path, STAFF),
        hub.call("GET", path, machine(hub.new_key()["apiKey"])),
    ]

    assert made.headers["location"] == f"/integrations/{made.json['id']}"
    for shown in (made.json, *(reply.json for reply in seen)):
        assert (shown["externalId"], shown["externalIdInPath"]) == (external_id, f"ext:{external_id}")
        assert shown["metadata"] == METADATA
    assert "config" not in seen[1].json


def test_connection_has_no_external_id_and_empty_metadata_unless_it_is_given(hub: Hub) -> None:
    made = hub.created().json

    assert (made["externalId"], made["externalIdInPath"], made["metadata"]) == (None, None, {})


@pytest.mark.parametrize(
    "end", ["a b", "a/b", "a%2Fb", "a@b.example", "ext:a", "b64:a", "..", "\u0645\u0631", "a:b"], ids=ascii
)
def test_every_external_id_is_addressed_as_it_is_shown(hub: Hub, end: str) -> None:
    """HUB 52: b64: encodes ext: and the id together, as it encodes every id of a path."""
    external_id = f"{own_id()} {end}"
    made = hub.created(externalId=external_id)
    address = made.json["externalIdInPath"]
    plain = hub.call("GET", f"/integrations/{quote(f'ext:{external_id}', safe='')}")

    assert address == f"b64:{base64url.encode(f'ext:{external_id}'.encode())}"
    assert hub.call("GET", f"/integrations/{address}").json == made.json
    # The gateway has no route for a path with an encoded slash.
    assert plain.status == (404 if "/" in end else 400 if "%" in end else 200)


@pytest.mark.parametrize("wrong", ["", "a?b", "a\n", "a\x7f", "a" * 256, "a\ud800", 7, ["a"]], ids=ascii)
def test_external_id_that_could_not_be_addressed_is_refused(hub: Hub, rows: Rows, wrong: Any) -> None:
    """HUB 52: API Gateway would deliver a%3Fb as a."""
    path = hub.connection()
    before = rows(SNAPSHOT)
    created = hub.call("POST", "/integrations", body=draft(externalId=wrong))
    changed = hub.call("PATCH", path, body={"externalId": wrong}, if_match="*")

    for reply in (created, changed):
        assert (reply.status, reply.code) == (400, "INVALID_REQUEST")
        assert [problem["path"] for problem in reply.json["problems"]] == ["externalId"]
        assert "^" not in reply.json["error"]
    assert rows(SNAPSHOT) == before


UNKNOWN = ("ext:", "ext:unknown", "EXT:a", "ext", f"ext:{'a' * 300}", "ext:a%3Fb", "ext:%E2%80%8B")


@pytest.mark.parametrize("wrong", UNKNOWN)
def test_path_with_no_such_external_id_is_not_found(hub: Hub, wrong: str) -> None:
    reply = hub.call("GET", f"/integrations/{wrong}")
    assert (reply.status, reply.code) == (404, "CONNECTION_NOT_FOUND")


def test_external_id_is_unique_within_the_tenant_and_free_after_deletion(hub: Hub, rows: Rows) -> None:
    external_id = own_id()
    made = hub.created(externalId=external_id)
    other = hub.connection()
    theirs = hub.call("POST", "/integrations", THEIR_ADMIN, draft(externalId=external_id))
    before = rows(SNAPSHOT)
    again = hub.call("POST", "/integrations", body=draft(externalId=external_id))
    changed = hub.call("PATCH", other, body={"externalId": external_id}, if_match="*")
    with_config = hub.call("PATCH", other, body={"externalId": external_id, "description": "x"}, if_match="*")
    unchanged = rows(SNAPSHOT) == before
    deleted = hub.call("DELETE", f"/integrations/ext:{external_id}")
    gone = hub.call("GET", f"/integrations/ext:{external_id}")
    gone_logs = hub.call("GET", f"/integrations/ext:{external_id}/logs")
    after = hub.call("POST", "/integrations", body=draft(externalId=external_id))

    assert theirs.status == 201
    for reply in (again, changed, with_config):
        assert (reply.status, reply.code) == (409, "EXTERNAL_ID_TAKEN")
    assert unchanged
    assert (deleted.status, after.status) == (204, 201)
    assert (gone.code, gone_logs.code) == ("CONNECTION_NOT_FOUND", "CONNECTION_NOT_FOUND")
    # The deleted connection keeps its logs under its own id; the external id is the new connection's.
    assert hub.call("GET", f"{made.headers['location']}/logs").status == 200
    assert hub.call("GET", f"/integrations/ext:{external_id}").json["id"] == after.json["id"]


def test_two_creations_at_once_with_one_external_id_make_one_connection(hub: Hub, rows: Rows) -> None:
    external_id = own_id()
    bodies = [draft(externalId=external_id) for _ in range(2)]
    replies = at_once([lambda body=body: hub.call("POST", "/integrations", body=body) for body in bodies])
    [count] = rows("SELECT count(*) AS n FROM integration_connections WHERE external_id = %s", [external_id])

    assert sorted(reply.status for reply in replies) == [201, 409]
    assert {reply.code for reply in replies if reply.status == 409} == {"EXTERNAL_ID_TAKEN"}
    assert count.n == 1


def test_creation_with_a_taken_external_id_stores_no_secret(hub: Hub, rows: Rows) -> None:
    external_id = own_id()
    hub.created(externalId=external_id)
    [before] = rows("SELECT count(*) AS n FROM api_credentials")
    refused = hub.call("POST", "/integrations", body=draft(externalId=external_id), idempotency_key=token_hex(8))

    assert refused.code == "EXTERNAL_ID_TAKEN"
    assert rows("SELECT count(*) AS n FROM api_credentials") == [before]


def test_patch_changes_and_removes_the_external_id_and_leaves_it_otherwise(hub: Hub) -> None:
    first, second = own_id(), own_id()
    path = hub.created(externalId=first).headers["location"]
    described = hub.call("PATCH", f"/integrations/ext:{first}", body={"description": "x"}, if_match='"1"')
    moved = hub.call("PATCH", f"/integrations/ext:{first}", body={"externalId": second}, if_match=described.etag)
    old = hub.call("GET", f"/integrations/ext:{first}")
    removed = hub.call("PATCH", f"/integrations/ext:{second}", body={"externalId": None}, if_match=moved.etag)

    assert described.json["externalId"] == first
    assert moved.json["externalId"] == second
    assert old.status == 404
    assert (removed.status, removed.json["externalId"], removed.etag) == (200, None, '"4"')
    assert hub.call("GET", f"/integrations/ext:{second}").status == 404
    assert hub.call("GET", path).json["externalId"] is None


def test_list_is_filtered_by_external_id(hub: Hub) -> None:
    external_id = f"{own_id()} & co"
    made = hub.created(externalId=external_id).json["id"]
    hub.created(THEIR_ADMIN, externalId=external_id)
    found = hub.call("GET", f"/integrations?externalId={quote(external_id)}").json
    other = hub.call("GET", f"/integrations?externalId={quote(external_id)}&provider=stripe").json

    assert [one["id"] for one in found["integrations"]] == [made]
    assert (found["nextCursor"], other["integrations"]) == (None, [])
    assert hub.call("GET", "/integrations?externalId=").code == "INVALID_REQUEST"


def test_idempotency_key_belongs_to_the_path_as_it_was_sent(hub: Hub) -> None:
    """A call by ext: is no replay of a call by the id: meanwhile another connection may have the external id."""
    external_id, key = own_id(), token_hex(8)
    path = hub.created(externalId=external_id).headers["location"]
    first = hub.call("POST", f"/integrations/ext:{external_id}/disable", idempotency_key=key)
    again = hub.call("POST", f"/integrations/ext:{external_id}/disable", idempotency_key=key)
    other = hub.call("POST", f"{path}/disable", idempotency_key=key)

    assert (first.status, again.json, again.headers["idempotent-replay"]) == (200, first.json, "true")
    assert other.code == "IDEMPOTENCY_KEY_REUSED"


# ---- Metadata ----


def nested(levels: int) -> dict[str, Any]:
    """Metadata of so many levels of objects."""
    return {"a": nested(levels - 1)} if levels > 1 else {"a": 1}


def of_bytes(size: int) -> dict[str, Any]:
    """Metadata of so many bytes, as Postgres writes it."""
    return {"list": [1, 2], "text": "\u00e9" * 20 + "a" * (size - len('{"list": [1, 2], "text": ""}') - 40)}


@pytest.mark.parametrize("metadata", [of_bytes(4096), nested(4), {"a": [[[1]]]}, {"a" * 4000: 1}, {"keyboard": "x"}])
def test_metadata_within_the_limits_is_kept_as_it_was_sent(hub: Hub, metadata: Any) -> None:
    assert hub.created(metadata=metadata).json["metadata"] == metadata


@pytest.mark.parametrize(
    ("metadata", "path"),
    [
        (of_bytes(4097), "metadata"),
        (nested(5), "metadata"),
        ({"a": [[[[1]]]]}, "metadata"),
        ({"a": [[[{}]]]}, "metadata"),
        ({"a": {"apiKey": "x"}}, "metadata.a.apiKey"),
        ({"a": [{"client_secret": "x"}]}, "metadata.a[0].client_secret"),
        ({"pin": 1}, "metadata.pin"),
        ({"a": 1.5}, "metadata.a"),
        ({"a": "x\ud800"}, "metadata.a"),
        ({"a": "x\0"}, "metadata.a"),
        ({"a\0": 1}, "metadata"),
        ([], "metadata"),
        ("x", "metadata"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_metadata_beyond_the_limits_is_refused_and_the_part_is_named(hub: Hub, metadata: Any, path: str) -> None:
    """No number with a fraction: it is not kept exactly. No name of a secret: metadata is shown."""
    where = hub.connection()
    created = hub.call("POST", "/integrations", body=draft(metadata=metadata))
    changed = hub.call("PATCH", where, body={"metadata": metadata}, if_match="*")

    for reply in (created, changed):
        assert (reply.status, reply.code) == (400, "INVALID_REQUEST")
        assert [problem["path"] for problem in reply.json["problems"]] == [path]
    assert hub.call("GET", where).json["metadata"] == {}


def test_null_metadata_is_refused(hub: Hub) -> None:
    assert hub.call("PATCH", hub.connection(), body={"metadata": None}, if_match="*").code == "INVALID_REQUEST"


def test_patch_replaces_metadata_as_a_whole_and_leaves_it_otherwise(hub: Hub) -> None:
    path = hub.created(metadata=METADATA).headers["location"]
    described = hub.call("PATCH", path, body={"description": "x"}, if_match="*")
    replaced = hub.call("PATCH", path, body={"metadata": {"floor": 3}}, if_match="*")
    emptied = hub.call("PATCH", path, body={"metadata": {}}, if_match="*")

    assert described.json["metadata"] == METADATA
    assert replaced.json["metadata"] == {"floor": 3}
    assert emptied.json["metadata"] == {}


def test_change_with_a_new_config_keeps_or_sets_both(hub: Hub) -> None:
    """A refused change of the config changes neither."""
    external_id = own_id()
    path = hub.created(externalId=external_id, metadata=METADATA).headers["location"]
    body = {"config": config(), "externalId": own_id(), "metadata": {}}
    refused = hub.call("PATCH", path, body=body, if_match="*")
    now = hub.call("GET", path).json

    assert refused.code == "BLOCKED_ADDRESS"
    assert (now["externalId"], now["metadata"]) == (external_id, METADATA)


def test_audit_log_has_both_before_and_after(hub: Hub) -> None:
    external_id = own_id()
    path = hub.created(externalId=external_id, metadata={"floor": 2}).headers["location"]
    hub.call("PATCH", path, ADMIN, {"externalId": None, "metadata": {"floor": 3}}, if_match="*")
    entries = {one["action"]: one for one in hub.audited(path)}
    changed = entries["connection.changed"]

    assert entries["connection.created"]["after"]["externalId"] == external_id
    assert (changed["before"]["externalId"], changed["before"]["metadata"]) == (external_id, {"floor": 2})
    assert (changed["after"]["externalId"], changed["after"]["metadata"]) == (None, {"floor": 3})
