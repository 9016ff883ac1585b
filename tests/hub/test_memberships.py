"""/memberships: the people of a tenant; a suspended person is refused until restored."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from secrets import token_hex
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest

from causeway.wire import base64url
from local.services.demo_data import TENANTS
from local.stack import Stack
from tests.database.parallel import at_once
from tests.end_to_end.tokens import part, signed
from tests.hub.client import (
    ADMIN,
    DEPLOYMENT_ADMIN,
    NOBODY,
    OURS,
    REGULATOR,
    STAFF,
    SUPER_ADMIN,
    THEIR_ADMIN,
    THEIRS,
    Hub,
    Reply,
    claims_of,
)

Rows = Callable[..., list[Any]]


@dataclass(frozen=True)
class Member:
    """A new person with a token."""

    hub: Hub
    token: str

    @property
    def subject(self) -> str:
        return claims_of(self.token)["sub"]

    @property
    def path(self) -> str:
        return f"/memberships/{self.subject}"

    def call(self, method: str = "GET", path: str = "/integrations", body: Any = None) -> Reply:
        return self.hub.call(method, path, NOBODY, body, authorization=f"Bearer {self.token}")


@pytest.fixture
def member(hub: Hub, someone: Callable[..., str]) -> Callable[..., Member]:
    """member("staff") is a new person of our tenant who has made one call."""

    def join(role: str, tenant: str = TENANTS[OURS]) -> Member:
        new = Member(hub, someone(role, tenant=tenant))
        assert new.call().status == 200
        return new

    return join


def listed(hub: Hub, caller: Any = ADMIN) -> dict[str, dict[str, Any]]:
    """The people of the caller's tenant, by subject."""
    people, path = [], "/memberships?limit=3"
    while path:
        page = hub.call("GET", path, caller).json
        assert 1 <= len(page["memberships"]) <= 3
        people += page["memberships"]
        path = page["nextCursor"] and f"/memberships?limit=3&cursor={page['nextCursor']}"
    found = {one["subject"]: one for one in people}
    assert len(found) == len(people)
    return found


# ---- The people ----


def test_people_are_listed_from_their_first_call_on(hub: Hub, someone: Callable[..., str], rows: Rows) -> None:
    """HUB 43: in pages, with all people of the tenant and nobody else."""
    new = Member(hub, someone("regulator"))
    hub.call("GET", "/integrations", REGULATOR)
    before = listed(hub)
    new.call()
    after = listed(hub)
    stored = rows("SELECT subject FROM memberships WHERE tenant_id = %s", [TENANTS[OURS]])

    assert new.subject not in before
    assert after[new.subject] == {
        "subject": new.subject,
        "address": new.subject,
        "role": "regulator",
        "status": "active",
        "createdAt": after[new.subject]["createdAt"],
        "version": 1,
        "name": None,
        "email": after[new.subject]["email"],
        "emailVerified": False,
    }
    assert re.fullmatch(r"person-[0-9a-f]{12}@example\.com", after[new.subject]["email"])
    # Personal data is stored where it can be erased.
    kept = "SELECT count(*) AS n FROM audit_log AS a WHERE strpos(a::text, %s) > 0"
    assert rows(kept, [after[new.subject]["email"]])[0].n == 0
    assert set(after) == {row.subject for row in stored}
    assert not set(after) & set(listed(hub, THEIR_ADMIN))
    assert set(listed(hub, REGULATOR)) == set(listed(hub, SUPER_ADMIN)) == set(after)


def test_first_call_of_a_person_is_audited_once(hub: Hub, someone: Callable[..., str]) -> None:
    """HUB 44: even if eight calls come at the same time, whatever the role allows."""
    new = Member(hub, someone("staff"))
    at_once([lambda: new.call(path="/api-keys")] * 8)
    [granted] = hub.audited(new.path)

    assert (granted["action"], granted["actor"]) == ("membership.granted", new.subject)
    assert (granted["before"], granted["after"]) == (None, {"role": "staff"})


def test_new_role_of_a_person_is_audited(hub: Hub, stack: Stack, member: Callable[..., Member]) -> None:
    """HUB 44: with the role before and after."""
    person = member("tenant_admin")
    pool, name = stack.user_pool, claims_of(person.token)["cognito:username"]
    pool._call("AdminRemoveUserFromGroup", UserPoolId=pool.id, Username=name, GroupName="tenant_admin")
    pool._call("AdminAddUserToGroup", UserPoolId=pool.id, Username=name, GroupName="staff")
    Member(hub, pool.log_in(name)["IdToken"]).call()
    _, changed = hub.audited(person.path)

    assert (changed["action"], changed["actor"]) == ("membership.changed", person.subject)
    assert (changed["before"], changed["after"]) == ({"role": "tenant_admin"}, {"role": "staff"})
    assert listed(hub)[person.subject]["role"] == "staff"


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=101",
        "limit=x",
        "cursor=",
        "cursor=%00",
        "cursor=x",
        "cursor=AA",
        "cursor=eB",
        "cursor=eA==",
        "role=staff",
    ],
)
def test_malformed_query_is_refused(hub: Hub, query: str) -> None:
    reply = hub.call("GET", f"/memberships?{query}")
    assert (reply.status, reply.code) == (400, "INVALID_REQUEST")


# ---- Unusual subjects ----

ODD = (
    "a/b",
    "a\\b",
    'a"b',
    "a#b",
    "a?b",
    "a=b",
    "a`b",
    "a b",
    "a%2Fb",
    "a%b",
    "auth0|5f7c",
    "b64:x",
    "..",
    "\u00e9",
)


def joined(hub: Hub, subject: str) -> Member:
    """A person of our tenant with a subject that Cognito would not generate, who has made one call."""
    claims = part(hub.token(STAFF) or "", 1)
    new = Member(hub, signed(claims | {"sub": subject}))
    assert new.call().status == 200
    return new


@pytest.mark.parametrize("odd", ODD, ids=ascii)
def test_every_admitted_person_can_be_suspended(hub: Hub, odd: str) -> None:
    """HUB 52: by the address in the list, and by the plain subject if a path carries it unchanged."""
    subject = odd if odd in ("..", "b64:x") else f"{token_hex(4)}{odd}"
    person = joined(hub, subject)
    address = listed(hub)[subject]["address"]
    suspended = hub.call("PATCH", f"/memberships/{address}", ADMIN, {"status": "suspended"})
    refused = person.call()
    plain = hub.call("PATCH", f"/memberships/{quote(subject, safe='')}", ADMIN, {"status": "active"})
    restored = hub.call("PATCH", f"/memberships/{address}", ADMIN, {"status": "active"})

    assert (suspended.status, suspended.json["status"], suspended.json["subject"]) == (200, "suspended", subject)
    assert (refused.status, refused.code) == (403, "FORBIDDEN")
    # The gateway has no route for a path with an encoded slash.
    assert plain.status == (404 if "/" in odd else 400 if set(odd) & set("?%\n") or odd == "b64:x" else 200)
    assert (restored.status, restored.json["status"]) == (200, "active")


def test_ambiguous_subject_is_refused_and_not_guessed(hub: Hub) -> None:
    """HUB 52: API Gateway delivers a%3Fb as a, and the function cannot see the rest."""
    stem = token_hex(6)
    joined(hub, stem)
    longer = joined(hub, f"{stem}?b")
    for path in (f"/memberships/{stem}", f"/memberships/{stem}%3Fb"):
        reply = hub.call("PATCH", path, ADMIN, {"status": "suspended"})
        assert (reply.status, reply.code) == (400, "INVALID_REQUEST")
        assert "b64:" in reply.json["error"]
    assert {listed(hub)[subject]["status"] for subject in (stem, f"{stem}?b")} == {"active"}

    short = f"b64:{base64url.encode(stem.encode())}"
    assert hub.call("PATCH", f"/memberships/{short}", ADMIN, {"status": "suspended"}).json["subject"] == stem
    assert longer.call().status == 200


@pytest.mark.parametrize("ending", ["%0a", "%00", "%0d%0a", "%09", "%2F", "%3F%0a", "%25"])
def test_id_with_additional_characters_is_another(hub: Hub, ending: str) -> None:
    """HUB 52: a line break at the end of an id must not be dropped."""
    connection = hub.connection()
    key = f"/api-keys/{hub.new_key()['id']}"
    run = f"{connection}/syncs/{uuid4()}"
    asked = [
        hub.call("GET", f"{connection}{ending}"),
        hub.call("POST", f"{connection}{ending}/test"),
        hub.call("GET", f"{connection}{ending}/health"),
        hub.call("GET", f"{run}{ending}"),
        hub.call("GET", f"{connection}/calendars/x{ending}/free-slots?date=2026-01-01"),
        hub.call("GET", f"/integrations/templates/twilio{ending}"),
        hub.call("GET", f"/tenants/{TENANTS[OURS]}{ending}", DEPLOYMENT_ADMIN),
        hub.call("PATCH", f"/memberships/{uuid4()}{ending}", ADMIN, {"status": "active"}),
        hub.call("DELETE", f"{key}{ending}"),
    ]
    statuses = {reply.status for reply in asked}
    if ending == "%3F%0a":
        # API Gateway drops everything after an encoded question mark before the function.
        assert asked[0].status == 200
    else:
        assert statuses <= {400, 404, 405}
        assert hub.call("GET", "/api-keys").json["apiKeys"]


def test_every_id_may_be_sent_in_base64url(hub: Hub) -> None:
    """HUB 52: on every route."""
    connection = hub.connection()
    identity = connection.rpartition("/")[2]
    other = f"/integrations/b64:{base64url.encode(identity.encode())}"
    template = f"/integrations/templates/b64:{base64url.encode(b'twilio')}"

    assert hub.call("GET", other).json["id"] == identity
    assert hub.call("GET", f"{other}/health").status == 200
    assert hub.call("GET", template).json["id"] == "twilio"
    assert hub.call("GET", f"{other}A").code == "INVALID_REQUEST"


# ---- Suspending ----


@pytest.mark.parametrize("caller", [ADMIN, SUPER_ADMIN], ids=["tenant_admin", "super_admin"])
@pytest.mark.parametrize("role", ["tenant_admin", "regulator", "staff"])
def test_suspended_person_is_refused_until_restored(
    hub: Hub, member: Callable[..., Member], caller: Any, role: str
) -> None:
    """HUB 43: from the next call on, with the same token."""
    person = member(role)
    suspended = hub.call("PATCH", person.path, caller, {"status": "suspended"})
    refused = [person.call(), person.call("POST", "/api-keys", {"name": "x"}), person.call(path="/memberships")]
    shown = listed(hub)[person.subject]
    restored = hub.call("PATCH", person.path, caller, {"status": "active"})

    assert (suspended.status, suspended.json) == (200, shown)
    assert shown["status"] == "suspended"
    assert {(reply.status, reply.code) for reply in refused} == {(403, "FORBIDDEN")}
    assert refused[0].json["error"] == "Your membership is suspended"
    assert (restored.status, restored.json) == (200, shown | {"status": "active", "version": 3})
    assert person.call().status == 200


def test_suspending_and_restoring_are_audited_with_before_and_after(hub: Hub, member: Callable[..., Member]) -> None:
    """HUB 44: a call that changes nothing has no entry."""
    person = member("staff")
    for status in ("active", "suspended", "suspended", "active", "active"):
        assert hub.call("PATCH", person.path, ADMIN, {"status": status}).json["status"] == status
    _, suspended, restored = hub.audited(person.path)

    assert (suspended["action"], restored["action"]) == ("membership.suspended", "membership.restored")
    # Name and e-mail stay out of the audit log, which cannot erase.
    called = ("name", "email", "emailVerified")
    now = {name: value for name, value in listed(hub)[person.subject].items() if name not in called}
    assert suspended["before"] | {"version": 3} == restored["after"] == now
    assert suspended["after"] == restored["before"] == suspended["before"] | {"status": "suspended", "version": 2}
    assert {entry["actor"] for entry in (suspended, restored)} == {claims_of(hub.token(ADMIN) or "")["sub"]}


def test_eight_concurrent_suspensions_are_one_entry(hub: Hub, member: Callable[..., Member]) -> None:
    """HUB 44"""
    person = member("staff")
    replies = at_once([lambda: hub.call("PATCH", person.path, ADMIN, {"status": "suspended"})] * 8)

    assert {reply.status for reply in replies} == {200}
    assert [entry["action"] for entry in hub.audited(person.path)] == ["membership.granted", "membership.suspended"]


def test_nobody_can_suspend_themselves(hub: Hub, member: Callable[..., Member]) -> None:
    person = member("tenant_admin")
    replies = [person.call("PATCH", person.path, {"status": status}) for status in ("suspended", "active")]

    assert {(reply.status, reply.code) for reply in replies} == {(409, "OWN_MEMBERSHIP")}
    assert listed(hub)[person.subject]["status"] == "active"
    # HUB 44: the attempts are audited.
    told = [(entry["action"], entry["outcome"]) for entry in hub.audited(person.path)]
    assert told[1:] == [("membership.suspended", "refused"), ("membership.restored", "refused")]


def test_suspended_admin_cannot_restore_themselves(hub: Hub, member: Callable[..., Member]) -> None:
    """HUB 43"""
    person = member("tenant_admin")
    hub.call("PATCH", person.path, ADMIN, {"status": "suspended"})
    reply = person.call("PATCH", person.path, {"status": "active"})

    assert (reply.status, reply.code) == (403, "FORBIDDEN")
    assert listed(hub)[person.subject]["status"] == "suspended"


@pytest.mark.parametrize("caller", [STAFF, REGULATOR], ids=["staff", "regulator"])
def test_only_admins_can_suspend(hub: Hub, member: Callable[..., Member], caller: Any) -> None:
    """HUB 43"""
    person = member("staff")
    reply = hub.call("PATCH", person.path, caller, {"status": "suspended"})

    assert (reply.status, reply.code) == (403, "FORBIDDEN")
    assert person.call().status == 200


def test_another_tenants_person_is_not_found(hub: Hub, member: Callable[..., Member]) -> None:
    """HUB 43"""
    theirs = member("staff", TENANTS[THEIRS])
    replies = [
        hub.call("PATCH", path, caller, {"status": "suspended"})
        for caller in (ADMIN, SUPER_ADMIN)
        for path in (theirs.path, f"/memberships/{uuid4()}", "/memberships/" + "x" * 256)
    ]

    assert [reply.essence for reply in replies] == [replies[0].essence] * 6
    assert (replies[0].status, replies[0].code) == (404, "MEMBERSHIP_NOT_FOUND")
    assert theirs.call().status == 200


def test_super_admin_names_the_tenant(hub: Hub, member: Callable[..., Member]) -> None:
    replies = [
        hub.call("GET", "/memberships", DEPLOYMENT_ADMIN),
        hub.call("PATCH", member("staff").path, DEPLOYMENT_ADMIN, {"status": "suspended"}),
    ]
    assert [(reply.status, reply.code) for reply in replies] == [(400, "TENANT_REQUIRED")] * 2


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"null",
        b'"suspended"',
        b"{}",
        b'{"status": null}',
        b'{"status": "Suspended"}',
        b'{"status": "deleted"}',
        b'{"status": ["active"]}',
        b'{"status": true}',
        b'{"status": "active\\u0000"}',
        b'{"status": "\\ud800"}',
        b'{"status": "suspended", "role": "tenant_admin"}',
        b'{"status": "active", "status": "suspended"}',
        b'{"role": "tenant_admin"}',
    ],
)
def test_malformed_change_changes_nothing(hub: Hub, member: Callable[..., Member], raw: bytes) -> None:
    person = member("staff")
    before = listed(hub)[person.subject]
    reply = hub.call("PATCH", person.path, ADMIN, raw=raw)

    assert (reply.status, reply.code) == (400, "INVALID_REQUEST")
    assert listed(hub)[person.subject] == before
    assert [entry["action"] for entry in hub.audited(person.path)] == ["membership.granted"]


def test_keys_of_a_suspended_admin_keep_working(hub: Hub, member: Callable[..., Member]) -> None:
    person = member("tenant_admin")
    key = person.call("POST", "/api-keys", {"name": f"machine {token_hex(6)}"}).json
    hub.call("PATCH", person.path, ADMIN, {"status": "suspended"})
    [left] = [one for one in hub.call("GET", "/api-keys").json["apiKeys"] if one["id"] == key["id"]]

    assert (left["createdBy"], left["revokedAt"]) == (person.subject, None)
