"""/tenants: a super admin creates a tenant, which can be used at once; all other and malformed calls create none."""

from collections.abc import Callable
from datetime import datetime
from secrets import token_hex
from typing import Any
from uuid import UUID

import pytest

from local.services.demo_data import TENANTS
from tests.database.parallel import at_once
from tests.hub.client import ADMIN, DEPLOYMENT_ADMIN, NOBODY, OURS, SUPER_ADMIN, Caller, Hub, draft
from tests.hub.objects import new_tenant

Rows = Callable[..., list[Any]]


def within(tenant: dict[str, Any]) -> Caller:
    """The super admin, naming a tenant."""
    return Caller("super_admin", headers={"x-tenant-id": tenant["id"]})


def chain(hub: Hub, caller: Caller, about: str) -> list[dict[str, Any]]:
    """The entries about an object in the chain that a caller reads, oldest first."""
    return hub.audited(f"/tenants/{about}", caller)


# ---- Creation ----


def test_new_tenant_is_answered_listed_and_stored(hub: Hub, rows: Rows) -> None:
    made = new_tenant(hub, displayName="Zoë's Casino 💥")
    [stored] = rows("SELECT * FROM tenants WHERE tenant_id = %s", [made["id"]])

    regional = {"country", "timeZone", "currency", "language"}
    assert set(made) == {"id", "code", "displayName", "createdAt", "version"} | regional
    assert (str(stored.tenant_id), stored.code, stored.display_name) == (made["id"], made["code"], "Zoë's Casino 💥")
    assert datetime.fromisoformat(made["createdAt"]) == stored.created_at
    assert made["createdAt"].endswith("Z")
    assert hub.call("GET", f"/tenants/{made['id']}", DEPLOYMENT_ADMIN).json == made
    assert hub.call("GET", f"/tenants/{made['id']}", SUPER_ADMIN).json == made


def test_new_tenant_is_audited_in_the_deployments_log_and_its_own(hub: Hub) -> None:
    """HUB 44"""
    made = new_tenant(hub)
    [deployments] = chain(hub, DEPLOYMENT_ADMIN, made["id"])
    [own] = chain(hub, within(made), made["id"])

    assert own["entry"] == 1
    for entry in (deployments, own):
        assert (entry["action"], entry["outcome"], entry["actorRole"]) == ("tenant.created", "done", "super_admin")
        assert (entry["before"], entry["after"]) == (None, made)
    assert chain(hub, SUPER_ADMIN, made["id"]) == []


def test_tenant_and_its_entries_are_written_in_one_transaction(hub: Hub, rows: Rows) -> None:
    """HUB 44: neither exists without the other."""
    made = new_tenant(hub)
    written = rows(
        """
        SELECT xmin::text AS by FROM tenants WHERE tenant_id = %(id)s
        UNION ALL SELECT xmin::text FROM audit_log WHERE object_kind = 'tenant' AND object_id = %(id)s::text
        """,
        {"id": made["id"]},
    )
    assert len(written) == 3
    assert len({row.by for row in written}) == 1


def test_new_tenant_can_be_used_at_once(hub: Hub, someone: Callable[..., str]) -> None:
    """A super admin creates its first key; its admin creates its first connection, encrypted with a new data key."""
    made = new_tenant(hub)
    authorization = f"Bearer {someone('tenant_admin', tenant=made['id'])}"
    key = hub.call("POST", "/api-keys", within(made), {"name": "machine"})
    connection = hub.call("POST", "/integrations", NOBODY, draft(), authorization=authorization)
    listed = hub.call("GET", "/integrations", within(made)).json["integrations"]

    assert (key.status, connection.status) == (201, 201)
    assert [one["id"] for one in listed] == [connection.json["id"]]
    assert hub.call("GET", f"/integrations/{connection.json['id']}", SUPER_ADMIN).status == 404


def test_admin_of_the_new_tenant_can_use_it(hub: Hub, someone: Callable[..., str]) -> None:
    made = new_tenant(hub)
    authorization = f"Bearer {someone('tenant_admin', tenant=made['id'])}"
    listed = hub.call("GET", "/memberships", NOBODY, authorization=authorization)
    created = hub.call("POST", "/integrations", NOBODY, draft(), authorization=authorization)

    assert (listed.status, created.status) == (200, 201)
    assert [one["role"] for one in listed.json["memberships"]] == ["tenant_admin"]


def test_code_of_a_tenant_is_unique(hub: Hub, rows: Rows) -> None:
    made = new_tenant(hub)
    again = hub.call("POST", "/tenants", DEPLOYMENT_ADMIN, {"code": made["code"], "displayName": "Another"})
    demo = hub.call("POST", "/tenants", DEPLOYMENT_ADMIN, {"code": OURS, "displayName": "Another"})

    assert [(reply.status, reply.code) for reply in (again, demo)] == [(409, "NAME_TAKEN")] * 2
    assert hub.call("GET", f"/tenants/{made['id']}", DEPLOYMENT_ADMIN).json == made
    assert rows("SELECT FROM tenants WHERE display_name = 'Another'") == []


def test_eight_concurrent_calls_create_one_tenant_and_one_entry(hub: Hub, rows: Rows) -> None:
    """HUB 44"""
    body = {"code": f"T{token_hex(8).upper()}", "displayName": "At once"}
    replies = at_once([lambda: hub.call("POST", "/tenants", DEPLOYMENT_ADMIN, body)] * 8)
    [row] = rows("SELECT tenant_id FROM tenants WHERE code = %s", [body["code"]])

    assert sorted(reply.status for reply in replies) == [201] + [409] * 7
    assert len(chain(hub, DEPLOYMENT_ADMIN, str(row.tenant_id))) == 1


# ---- Country, time zone, currency and language ----

REGIONAL = ("country", "timeZone", "currency", "language")
SEVERAL = "is missing: this country has several of them, or none"
UNKNOWN_ZONE = "must be a time zone that the database knows, with its area, such as Asia/Dubai, or UTC"


def regional(tenant: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(tenant[name] for name in REGIONAL)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({}, (None, "UTC", "USD", "en")),
        ({"country": None}, (None, "UTC", "USD", "en")),
        ({"country": "AE"}, ("AE", "Asia/Dubai", "AED", "en")),
        ({"country": "AE", "language": "ar"}, ("AE", "Asia/Dubai", "AED", "ar")),
        ({"country": "AE", "currency": "USD"}, ("AE", "Asia/Dubai", "USD", "en")),
        ({"country": "AE", "timeZone": "Europe/Malta"}, ("AE", "Europe/Malta", "AED", "en")),
        ({"country": "DE"}, ("DE", "Europe/Berlin", "EUR", "en")),
        ({"country": "US", "timeZone": "America/New_York"}, ("US", "America/New_York", "USD", "en")),
        ({"country": "PA", "currency": "PAB"}, ("PA", "America/Panama", "PAB", "en")),
        ({"timeZone": "Asia/Muscat", "currency": "OMR", "language": "ar"}, (None, "Asia/Muscat", "OMR", "ar")),
    ],
)
def test_new_tenants_settings_follow_its_country(hub: Hub, sent: dict[str, Any], expected: tuple[Any, ...]) -> None:
    """HUB 61"""
    made = new_tenant(hub, **sent)

    assert regional(made) == expected
    assert hub.call("GET", f"/tenants/{made['id']}", DEPLOYMENT_ADMIN).json == made


@pytest.mark.parametrize(
    ("sent", "problems"),
    [
        ({"country": "US"}, {"timeZone": SEVERAL}),
        ({"country": "PA"}, {"currency": SEVERAL}),
        ({"country": "AQ"}, {"timeZone": SEVERAL, "currency": SEVERAL}),
        ({"country": "ZZ"}, {"country": "must be a country of ISO 3166-1, such as AE"}),
        ({"timeZone": "Asia/Atlantis"}, {"timeZone": UNKNOWN_ZONE}),
        (
            {"country": "ZZ", "timeZone": "Etc/GMT+4", "currency": "AAA"},
            {
                "country": "must be a country of ISO 3166-1, such as AE",
                "timeZone": UNKNOWN_ZONE,
                "currency": "must be a currency of ISO 4217, such as AED, or BTC",
            },
        ),
        ({"country": "ae"}, {"country": "must match ^[A-Z]{2}$"}),
        ({"language": "fr"}, {"language": "must be one of en, ar"}),
    ],
)
def test_unknown_or_missing_setting_is_named_and_nothing_is_created(
    hub: Hub, rows: Rows, sent: dict[str, Any], problems: dict[str, str]
) -> None:
    """HUB 61"""
    before = rows(SNAPSHOT)
    body = {"code": f"T{token_hex(8).upper()}", "displayName": "Refused"} | sent
    reply = hub.call("POST", "/tenants", DEPLOYMENT_ADMIN, body)

    assert (reply.status, reply.code) == (400, "INVALID_REQUEST")
    assert {one["path"]: one["rule"] for one in reply.json["problems"]} == problems
    assert reply.json["error"] == "; ".join(f"{path} {rule}" for path, rule in problems.items())
    assert rows(SNAPSHOT) == before


def test_change_keeps_the_fields_that_were_not_sent(hub: Hub) -> None:
    """HUB 44, 51: also the settings that a new tenant would get from its country; null removes the country."""
    made = new_tenant(hub, country="AE")
    path = f"/tenants/{made['id']}"
    for change in ({"country": "DE"}, {"timeZone": "Europe/Berlin", "language": "ar"}, {"currency": "EUR"}):
        before = hub.call("GET", path, DEPLOYMENT_ADMIN)
        changed = hub.call("PATCH", path, DEPLOYMENT_ADMIN, change, if_match=before.etag)
        late = hub.call("PATCH", path, DEPLOYMENT_ADMIN, {"displayName": "Late"}, if_match=before.etag)

        assert (changed.status, changed.json) == (200, before.json | change | {"version": before.json["version"] + 1})
        assert (late.status, late.code) == (412, "VERSION_MISMATCH")
        assert hub.call("PATCH", path, DEPLOYMENT_ADMIN, change).json == changed.json
    cleared = hub.call("PATCH", path, DEPLOYMENT_ADMIN, {"country": None})

    assert regional(cleared.json) == (None, "Europe/Berlin", "EUR", "ar")
    entries = chain(hub, within(made), made["id"])
    assert [regional(entry["after"]) for entry in entries] == [
        ("AE", "Asia/Dubai", "AED", "en"),
        ("DE", "Asia/Dubai", "AED", "en"),
        ("DE", "Europe/Berlin", "AED", "ar"),
        ("DE", "Europe/Berlin", "EUR", "ar"),
        (None, "Europe/Berlin", "EUR", "ar"),
    ]


def test_unknown_setting_of_a_change_is_named_and_changes_nothing(hub: Hub, rows: Rows) -> None:
    before = rows(SNAPSHOT)
    body = {"displayName": "Refused", "timeZone": "asia/dubai", "currency": "XXX"}
    reply = hub.call("PATCH", f"/tenants/{TENANTS[OURS]}", DEPLOYMENT_ADMIN, body)

    assert (reply.status, reply.code) == (400, "INVALID_REQUEST")
    assert [one["path"] for one in reply.json["problems"]] == ["timeZone", "currency"]
    assert rows(SNAPSHOT) == before


def test_empty_change_is_refused_with_its_rule(hub: Hub) -> None:
    reply = hub.call("PATCH", f"/tenants/{TENANTS[OURS]}", DEPLOYMENT_ADMIN, {})

    assert (reply.status, reply.json["error"]) == (400, "The body must have at least one field")


def test_wallet_keeps_its_own_currency(rows: Rows) -> None:
    """The tenant's currency is for reports and forms."""
    [tenant] = rows("SELECT currency FROM tenants WHERE tenant_id = %s", [TENANTS[OURS]])
    wallets = rows("SELECT DISTINCT currency FROM casino_wallets WHERE tenant_id = %s", [TENANTS[OURS]])

    assert tenant.currency == "AED"
    assert "USD" in {row.currency for row in wallets}


# ---- Bad input ----

NAMED = '"displayName": "A casino"'
BAD_BODIES = {
    "no body": b"",
    "an array": b"[]",
    "a text": b'"T1"',
    "null": b"null",
    "half an object": b'{"code": "T1", ',
    "nothing": b"{}",
    "no code": f"{{{NAMED}}}".encode(),
    "no name": b'{"code": "T1"}',
    "an unknown field": f'{{"code": "T1", {NAMED}, "id": "1"}}'.encode(),
    "a field twice": f'{{"code": "T1", "code": "T2", {NAMED}}}'.encode(),
    "a number as code": f'{{"code": 1, {NAMED}}}'.encode(),
    "null as code": f'{{"code": null, {NAMED}}}'.encode(),
    "an empty code": f'{{"code": "", {NAMED}}}'.encode(),
    "small letters": f'{{"code": "jaqpot", {NAMED}}}'.encode(),
    "a space": f'{{"code": "T 1", {NAMED}}}'.encode(),
    "a line's end": f'{{"code": "T1\\n", {NAMED}}}'.encode(),
    "a digit of another script": f'{{"code": "T٣", {NAMED}}}'.encode(),
    "65 characters of code": f'{{"code": "{"T" * 65}", {NAMED}}}'.encode(),
    "NUL in the code": f'{{"code": "T\\u0000", {NAMED}}}'.encode(),
    "a lone surrogate as code": f'{{"code": "\\ud800", {NAMED}}}'.encode(),
    "an empty name": b'{"code": "T1", "displayName": ""}',
    "a list as name": b'{"code": "T1", "displayName": ["x"]}',
    "true as name": b'{"code": "T1", "displayName": true}',
    "201 characters of name": f'{{"code": "T1", "displayName": "{"x" * 201}"}}'.encode(),
    "NUL in the name": b'{"code": "T1", "displayName": "a\\u0000b"}',
    "a lone surrogate in the name": b'{"code": "T1", "displayName": "a\\udfffb"}',
    "a list as country": f'{{"code": "T1", {NAMED}, "country": ["AE"]}}'.encode(),
    "null as time zone": f'{{"code": "T1", {NAMED}, "timeZone": null}}'.encode(),
    "null as currency": f'{{"code": "T1", {NAMED}, "currency": null}}'.encode(),
    "null as language": f'{{"code": "T1", {NAMED}, "language": null}}'.encode(),
    "NUL in the time zone": f'{{"code": "T1", {NAMED}, "timeZone": "Asia/Dubai\\u0000"}}'.encode(),
    "no UTF-8": b'{"code": "T1", "displayName": "\xff"}',
}
SNAPSHOT = """
    SELECT (SELECT string_agg(t::text, '|' ORDER BY t::text) FROM tenants AS t) AS tenants,
        (SELECT count(*) FROM audit_log WHERE object_kind = 'tenant') AS entries
"""


@pytest.mark.parametrize("raw", BAD_BODIES.values(), ids=list(BAD_BODIES))
def test_malformed_body_creates_no_tenant(hub: Hub, rows: Rows, raw: bytes) -> None:
    before = rows(SNAPSHOT)
    reply = hub.call("POST", "/tenants", DEPLOYMENT_ADMIN, raw=raw)

    assert (reply.status, reply.code) == (400, "INVALID_REQUEST"), reply
    assert rows(SNAPSHOT) == before


def test_longest_code_and_name_are_accepted(hub: Hub) -> None:
    """This proves that the bodies above are refused for the faults they are named after."""
    made = new_tenant(hub, code=f"{token_hex(16).upper()}{'_' * 32}", displayName="💥" * 200)
    assert (len(made["code"]), len(made["displayName"])) == (64, 200)


# ---- Reading and changing ----


def test_pages_have_every_tenant_once(hub: Hub, rows: Rows) -> None:
    made = {new_tenant(hub)["id"] for _ in range(3)}
    found: list[dict[str, Any]] = []
    path: str | None = "/tenants?limit=2"
    while path is not None:
        page = hub.call("GET", path, DEPLOYMENT_ADMIN).json
        assert 1 <= len(page["tenants"]) <= 2
        found += page["tenants"]
        path = None if page["nextCursor"] is None else f"/tenants?limit=2&cursor={page['nextCursor']}"
    ids = [one["id"] for one in found]

    assert len(ids) == len(set(ids)) == rows("SELECT count(*) FROM tenants")[0][0]
    assert set(ids) >= made | set(TENANTS.values())


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=101",
        "limit=x",
        "limit=",
        "cursor=",
        "cursor=%00",
        "cursor=" + "T" * 65,
        "cursor=JAQPOT",
        "code=JAQPOT",
    ],
)
def test_malformed_query_is_refused(hub: Hub, query: str) -> None:
    reply = hub.call("GET", f"/tenants?{query}", DEPLOYMENT_ADMIN)
    assert (reply.status, reply.code) == (400, "INVALID_REQUEST")


def test_tenant_is_renamed_and_keeps_its_code(hub: Hub) -> None:
    """HUB 44: before and after, in both chains; its present name is no change."""
    made = new_tenant(hub)
    replies = [
        hub.call("PATCH", f"/tenants/{made['id']}", DEPLOYMENT_ADMIN, {"displayName": "Renamed"}) for _ in range(2)
    ]

    assert [(reply.status, reply.json) for reply in replies] == [
        (200, made | {"displayName": "Renamed", "version": 2})
    ] * 2
    assert hub.call("GET", f"/tenants/{made['id']}", DEPLOYMENT_ADMIN).json == replies[0].json
    for caller in (DEPLOYMENT_ADMIN, within(made)):
        _, changed = chain(hub, caller, made["id"])
        assert changed["action"] == "tenant.changed"
        assert (changed["before"], changed["after"]) == (made, replies[0].json)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"displayName": None},
        {"displayName": ""},
        {"displayName": 1},
        {"displayName": "x" * 201},
        {"displayName": "a\0b"},
        {"displayName": "\ud800"},
        {"code": "OTHER"},
        {"displayName": "Renamed", "code": "OTHER"},
        {"displayName": "Renamed", "country": "ZZ"},
        {"timeZone": None},
        {"currency": None},
        {"language": None},
        {"language": "fr"},
        [],
    ],
)
def test_malformed_change_changes_nothing(hub: Hub, rows: Rows, body: Any) -> None:
    before = rows(SNAPSHOT)
    reply = hub.call("PATCH", f"/tenants/{TENANTS[OURS]}", DEPLOYMENT_ADMIN, body)

    assert (reply.status, reply.code) == (400, "INVALID_REQUEST")
    assert rows(SNAPSHOT) == before


@pytest.mark.parametrize("method", ["GET", "PATCH"])
@pytest.mark.parametrize("wanted", [str(UUID(int=1)), str(UUID(int=0)), OURS, "1"])
def test_unknown_tenant_is_not_found(hub: Hub, method: str, wanted: str) -> None:
    """The deployment's chain is no tenant."""
    reply = hub.call(
        method, f"/tenants/{wanted}", DEPLOYMENT_ADMIN, {"displayName": "x"} if method == "PATCH" else None
    )
    assert (reply.status, reply.code) == (404, "TENANT_NOT_FOUND")


def test_tenant_cannot_be_deleted(hub: Hub) -> None:
    made = new_tenant(hub)
    assert hub.call("DELETE", f"/tenants/{made['id']}", DEPLOYMENT_ADMIN).status == 404
    assert hub.call("GET", f"/tenants/{made['id']}", DEPLOYMENT_ADMIN).json == made


@pytest.mark.usefixtures("refusals_are_due")
def test_tenant_admin_is_refused_and_the_refusal_is_audited(hub: Hub, rows: Rows) -> None:
    """HUB 43, 44: naming the own tenant does not help."""
    before = rows(SNAPSHOT)
    body = {"code": f"T{token_hex(8).upper()}", "displayName": "Mine"}
    reply = hub.call("POST", "/tenants", ADMIN, body, x_tenant_id=TENANTS[OURS])
    newest = hub.call("GET", "/audit?limit=1&action=access.refused").json["entries"][0]

    assert (reply.status, reply.code) == (403, "FORBIDDEN")
    assert (newest["objectId"], newest["requestId"]) == ("tenants.manage", reply.json["requestId"])
    assert rows(SNAPSHOT) == before
