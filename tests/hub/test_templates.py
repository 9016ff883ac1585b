"""The catalogue's API: read by admins and regulators, changed by super admins only."""

from collections.abc import Callable
from typing import Any, get_args

import pytest

from causeway.catalogue.document import TemplateDraft
from causeway.catalogue.keys import Kind
from causeway.catalogue.patterns import REFUSED
from causeway.catalogue.templates import TemplateChange
from causeway.wire.models import known
from local import ROOT
from tests.hub.client import ADMIN, DEPLOYMENT_ADMIN, REGULATOR, SUPER_ADMIN, Hub, claims_of, draft
from tests.hub.objects import PATH, added, new_template
from tests.hub.snapshots import SNAPSHOT

Rows = Callable[..., list[Any]]


def test_every_provider_of_the_catalogue_is_listed_once(hub: Hub) -> None:
    cursor, found = "", []
    while cursor is not None:
        page = hub.call("GET", f"{PATH}?limit=7{cursor}", REGULATOR).json
        found += [one["id"] for one in page["templates"]]
        cursor = page["nextCursor"] and f"&cursor={page['nextCursor']}"

    files = {file.stem for file in (ROOT / "schema" / "catalogue").glob("[!_]*.json")}
    assert len(files) >= 23
    assert files <= set(found)
    assert found == sorted(set(found))


def test_template_has_its_schema_and_setup_instructions(hub: Hub) -> None:
    reply = hub.call("GET", f"{PATH}/twilio")
    shown = reply.json
    assert (shown["id"], shown["name"], shown["category"], shown["isActive"]) == ("twilio", "twilio", "messaging", True)
    assert shown["configSchema"]["properties"]["auth_token"]["x-secret"] is True
    assert shown["setupInstructions"]
    assert shown["healthCall"]["expect"] == [200]
    assert (shown["createdBy"], shown["webhookUrl"]) == (None, None)
    assert shown["createdAt"].endswith("Z")
    assert reply.etag.strip('"').isdecimal()


def test_list_is_filtered_by_category_and_state(hub: Hub) -> None:
    kinds = {one["category"] for one in hub.call("GET", f"{PATH}?category=payment&limit=100").json["templates"]}
    made = added(hub)
    hub.call("PATCH", made.headers["location"], DEPLOYMENT_ADMIN, {"isActive": False}, if_match=made.etag)
    on = {one["id"] for one in hub.call("GET", f"{PATH}?active=true&limit=100").json["templates"]}
    off = {one["id"] for one in hub.call("GET", f"{PATH}?active=false&limit=100").json["templates"]}

    assert kinds == {"payment"}
    assert made.json["id"] in off - on
    assert "twilio" in on - off


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=101",
        "active=yes",
        "unknown=1",
        "category=%00",
        "category=no_such_kind",
        "category=crm&category=email",
        "cursor=a%00b",
        "cursor=",
        "cursor=twilio",
        "limit=1e1",
    ],
)
def test_malformed_query_is_refused(hub: Hub, query: str) -> None:
    reply = hub.call("GET", f"{PATH}?{query}")
    assert (reply.status, reply.code) == (400, "INVALID_REQUEST")


def test_added_template_accepts_connections(hub: Hub) -> None:
    made = added(hub)
    again = hub.call("POST", PATH, DEPLOYMENT_ADMIN, new_template(hub, id=made.json["id"]))
    connection = hub.created(templateId=made.json["id"])

    assert made.headers["location"] == f"{PATH}/{made.json['id']}"
    assert hub.call("GET", made.headers["location"]).json == made.json
    assert (again.status, again.code, again.json["error"]) == (
        409,
        "NAME_TAKEN",
        "There is already a template with this id",
    )
    assert connection.json["templateId"] == made.json["id"]


def test_icon_is_stored_and_removed(hub: Hub) -> None:
    made = added(hub, icon="M4 4h16v16H4Z")
    assert made.json["icon"] == "M4 4h16v16H4Z"
    changed = hub.call("PATCH", made.headers["location"], DEPLOYMENT_ADMIN, {"icon": None}, if_match=made.etag)

    assert (changed.status, changed.json["icon"]) == (200, None)


def test_icon_and_webhook_url_are_optional(hub: Hub) -> None:
    body = {name: value for name, value in new_template(hub).items() if name not in ("icon", "webhookUrl")}
    made = hub.call("POST", PATH, DEPLOYMENT_ADMIN, body)

    assert (made.status, made.json["icon"], made.json["webhookUrl"]) == (201, None, None)


def test_webhook_url_is_stored_and_removed(hub: Hub) -> None:
    """Seed 004: the address that the platform is told to call."""
    made = added(hub, webhookUrl="/webhooks/casino")
    path = made.headers["location"]
    moved = hub.call("PATCH", path, DEPLOYMENT_ADMIN, {"webhookUrl": "https://hooks.example/a?b=c"}, if_match=made.etag)
    removed = hub.call("PATCH", path, DEPLOYMENT_ADMIN, {"webhookUrl": None}, if_match=moved.etag)

    urls = ["/webhooks/casino", "https://hooks.example/a?b=c", None]
    assert [reply.json["webhookUrl"] for reply in (made, moved, removed)] == urls
    assert hub.call("GET", path).json == removed.json


def test_template_shows_its_creator_and_the_time_of_its_last_change(hub: Hub) -> None:
    """Seed 004; a change by another super admin does not change the creator."""
    made = added(hub)
    changed = hub.call("PATCH", made.headers["location"], SUPER_ADMIN, {"description": "b"}, if_match=made.etag)
    [listed] = [one for one in hub.call("GET", f"{PATH}?limit=100").json["templates"] if one["id"] == made.json["id"]]

    assert made.json["createdBy"] == claims_of(hub.token(DEPLOYMENT_ADMIN) or "")["sub"]
    assert made.json["createdAt"] == made.json["updatedAt"]
    assert {name: changed.json[name] for name in ("createdBy", "createdAt")} == {
        name: made.json[name] for name in ("createdBy", "createdAt")
    }
    assert changed.json["updatedAt"] > made.json["updatedAt"]
    assert listed == changed.json


def _schema(**changes: Any) -> dict[str, Any]:
    return {"configSchema": {"type": "object"} | changes}


_CLOSED = "must be false: unknown fields are refused"
_SECRET = "has {api_key}, which stands in a URL: it must have a pattern, and be no secret"
_UNKNOWN = f"is not a known field: the fields are {', '.join(known(TemplateDraft))}"
BAD = [
    ({"icon": '<image href="https://evil.example"/>'}, "icon must match ^[MmLlHhVvCcSsQqTtAaZz0-9 .,-]+$"),
    (
        {"authentication": {"type": "magic"}},
        (
            "authentication.type must be one of none, basic, bearer, header, query, oauth2_client_credentials, "
            "oauth2_refresh_token, hmac"
        ),
    ),
    ({"id": "Not An Id"}, "id must match ^[a-z][a-z0-9_]{0,63}$"),
    ({"category": ""}, f"category must be one of {', '.join(get_args(Kind))}"),
    ({"displayName": 5}, "displayName must be a string"),
    ({"unknown": 1}, f"unknown {_UNKNOWN}"),
    ({"is_active": True}, f"is_active {_UNKNOWN}"),
    (
        {"healthCall": {"method": "GET", "path": "/", "expect": [200], "refused_when": None}},
        "healthCall.refused_when is not a known field",
    ),
    ({"configSchema": []}, "configSchema must be an object"),
    ({"baseUrls": {"production": "https://{api_key}.example"}}, "baseUrls.sandbox is missing"),
    ({"baseUrls": {"production": "https://{api_key}.example", "sandbox": None}}, f"baseUrls.production {_SECRET}"),
    (_schema(), f"configSchema.additionalProperties {_CLOSED}"),
    (_schema(additionalProperties=True, properties={}), f"configSchema.additionalProperties {_CLOSED}"),
    (
        _schema(additionalProperties=False, properties={"k": {"required": True}}),
        "configSchema.properties.k.required must be a list of field names beside `properties`, not a mark on one field",
    ),
]


@pytest.mark.parametrize(("change", "sentence"), BAD)
def test_malformed_template_is_refused(hub: Hub, rows: Rows, change: dict[str, Any], sentence: str) -> None:
    """HUB 7"""
    body = new_template(hub, **change)
    before = rows(SNAPSHOT)
    reply = hub.call("POST", PATH, DEPLOYMENT_ADMIN, body)

    code = "CONFIG_SCHEMA_INVALID" if sentence.startswith("configSchema.") else "INVALID_REQUEST"
    assert (reply.status, reply.code, reply.json["error"]) == (400, code, sentence)
    assert rows(SNAPSHOT) == before


@pytest.mark.parametrize(
    ("change", "path", "rule"),
    [
        (
            {"healthCall": {"headers": {"Host": "evil.example"}}},
            "healthCall.headers.Host",
            "must not be set: it is the connection's own",
        ),
        (
            {"authentication": {"type": "header", "name": "Transfer-Encoding", "value": "x"}},
            "authentication.name",
            "must not be set: it is the connection's own",
        ),
        ({"healthCall": {"path": "/../../x"}}, "healthCall.path", "must not have the segments . or .."),
        ({"healthCall": {"path": "//evil.example"}}, "healthCall.path", "has an empty segment"),
        (
            {"webhookUrl": "https://hooks.example/../x"},
            "webhookUrl",
            "has a path that must not have the segments . or ..",
        ),
        (
            {"healthCall": {"refusedWhen": {"pointer": "/a", "pattern": "(a)\\1"}}},
            "healthCall.refusedWhen.pattern",
            REFUSED,
        ),
    ],
)
def test_ambiguous_call_is_refused_when_it_is_written(
    hub: Hub, rows: Rows, change: dict[str, Any], path: str, rule: str
) -> None:
    """HUB 13, 55: in a new template and in a changed one; the answer names the field as the caller spells it."""
    made = added(hub)
    changes = {"healthCall": made.json["healthCall"] | change["healthCall"]} if "healthCall" in change else change
    before = rows(SNAPSHOT)
    created = hub.call("POST", PATH, DEPLOYMENT_ADMIN, new_template(hub, **changes))
    changed = hub.call("PATCH", made.headers["location"], DEPLOYMENT_ADMIN, changes, if_match=made.etag)

    for reply in (created, changed):
        assert (reply.status, reply.code) == (400, "INVALID_REQUEST")
        assert (reply.json["error"], reply.json["problems"]) == (f"{path} {rule}", [{"path": path, "rule": rule}])
    assert rows(SNAPSHOT) == before


def test_change_needs_the_newest_etag(hub: Hub) -> None:
    made = added(hub)
    path = made.headers["location"]
    without = hub.call("PATCH", path, DEPLOYMENT_ADMIN, {"description": "a"})
    good = hub.call("PATCH", path, DEPLOYMENT_ADMIN, {"description": "b", "isActive": False}, if_match=made.etag)
    stale = hub.call("PATCH", path, DEPLOYMENT_ADMIN, {"description": "c"}, if_match=made.etag)
    switched = hub.call("PATCH", path, DEPLOYMENT_ADMIN, {"isActive": True}, if_match=made.etag)

    assert (without.status, without.code) == (428, "IF_MATCH_REQUIRED")
    assert (good.status, good.json["description"], good.json["isActive"]) == (200, "b", False)
    assert [(one.status, one.code) for one in (stale, switched)] == [(412, "VERSION_MISMATCH")] * 2
    assert hub.call("GET", path).json == good.json


FIELDS = ", ".join(known(TemplateChange))


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({}, "The body must have at least one field"),
        ({"isActive": "no"}, "isActive must be true or false"),
        ({"isActive": 0}, "isActive must be true or false"),
        ({"isActive": None}, "isActive must be true or false"),
        ({"id": "other"}, "id cannot be changed"),
        ({"version": 7}, f"version is not a known field: the fields are {FIELDS}"),
        ({"createdBy": "me"}, f"createdBy is not a known field: the fields are {FIELDS}"),
        ({"displayName": None, "healthCall": 5}, "displayName must be a string; healthCall must be an object"),
    ],
)
def test_malformed_change_is_refused(hub: Hub, rows: Rows, body: dict[str, Any], sentence: str) -> None:
    made = added(hub)
    before = rows(SNAPSHOT)
    reply = hub.call("PATCH", made.headers["location"], DEPLOYMENT_ADMIN, body, if_match=made.etag)

    assert (reply.status, reply.code, reply.json["error"]) == (400, "INVALID_REQUEST", sentence)
    assert rows(SNAPSHOT) == before


def test_row_older_than_a_rule_is_shown_whole_and_no_change_loses_a_part_of_it(hub: Hub, rows: Rows) -> None:
    made = added(hub)
    path = made.headers["location"]
    rows(
        """
        UPDATE integration_providers SET base_urls = base_urls || '{"zz": 1}', rate_limits = '{"minute": "x"}'
        WHERE provider_key = %s
        """,
        [made.json["id"]],
    )
    older = {"baseUrls": made.json["baseUrls"] | {"zz": 1}, "rateLimits": {"minute": "x"}}
    shown = hub.call("GET", path).json
    refused = hub.call("PATCH", path, DEPLOYMENT_ADMIN, {"description": "b"}, if_match=made.etag)
    body = {"baseUrls": made.json["baseUrls"], "rateLimits": {}}
    mended = hub.call("PATCH", path, DEPLOYMENT_ADMIN, body, if_match=made.etag)

    assert shown == made.json | older
    assert (refused.status, refused.json["error"]) == (
        400,
        "baseUrls.zz is not a known field; rateLimits.minute must be a whole number",
    )
    assert (mended.status, mended.json["baseUrls"]) == (200, made.json["baseUrls"])


def test_secret_field_cannot_become_plain(hub: Hub, rows: Rows) -> None:
    """HUB 1: otherwise the stored secret would be shown."""
    made = added(hub)
    schema = made.json["configSchema"]
    del schema["properties"]["webhook_secret"]["x-secret"]
    before = rows(SNAPSHOT)
    reply = hub.call("PATCH", made.headers["location"], SUPER_ADMIN, {"configSchema": schema}, if_match=made.etag)

    assert (reply.status, reply.code) == (400, "CONFIG_SCHEMA_INVALID")
    assert rows(SNAPSHOT) == before


def test_change_of_the_catalogue_is_audited_in_the_deployments_log(hub: Hub, rows: Rows) -> None:
    """HUB 44"""
    made = added(hub)
    key = made.json["id"]
    hub.call("PATCH", made.headers["location"], SUPER_ADMIN, {"isActive": False}, if_match=made.etag)
    entries = rows(
        "SELECT tenant_id::text, action, actor_role, after FROM audit_log WHERE object_id = %s ORDER BY entry", [key]
    )

    assert [entry.action for entry in entries] == ["template.created", "template.deactivated"]
    assert {(entry.tenant_id.strip("0-"), entry.actor_role) for entry in entries} == {("", "super_admin")}
    assert entries[1].after["isActive"] is False
    assert entries[0].after == made.json


def test_connection_of_a_deactivated_template_stays(hub: Hub) -> None:
    made = added(hub)
    path = hub.connection(templateId=made.json["id"])
    hub.call("PATCH", made.headers["location"], DEPLOYMENT_ADMIN, {"isActive": False}, if_match=made.etag)

    assert hub.call("GET", path).status == 200
    assert hub.call("POST", "/integrations", ADMIN, draft(templateId=made.json["id"])).code == "PROVIDER_INACTIVE"


def test_environment_without_an_address_is_refused_at_creation(hub: Hub, rows: Rows) -> None:
    """HUB 56: the field and its valid values are named; the environment of a connection cannot be changed later."""
    call = hub.call("GET", f"{PATH}/softswiss").json["healthCall"]
    alone = {name: value for name, value in call.items() if name != "configuredUrl"}
    urls = {"production": "https://casino.example", "sandbox": None}
    made = added(hub, healthCall=alone, baseUrls=urls, displayName="Casino X")
    before = rows(SNAPSHOT)
    reply = hub.call("POST", "/integrations", ADMIN, draft(templateId=made.json["id"], environment="sandbox"))

    assert (reply.status, reply.code) == (422, "CONFIG_INCOMPLETE")
    assert reply.json["error"] == "environment: Casino X has no sandbox environment, but production."
    assert rows(SNAPSHOT) == before


def test_template_without_any_address_is_refused(hub: Hub) -> None:
    """HUB 56: no connection could be made with it."""
    call = hub.call("GET", f"{PATH}/softswiss").json["healthCall"]
    alone = {name: value for name, value in call.items() if name != "configuredUrl"}
    body = new_template(hub, healthCall=alone, baseUrls={"production": None, "sandbox": None})
    reply = hub.call("POST", PATH, DEPLOYMENT_ADMIN, body)

    assert (reply.status, reply.code) == (400, "INVALID_REQUEST")
    assert reply.json["error"] == (
        "baseUrls has no address: give one, or let connections name theirs (healthCall.configuredUrl)"
    )
