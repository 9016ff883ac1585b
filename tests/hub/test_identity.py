"""The caller that a token gives: one role in one tenant; otherwise, or if suspended, the token is refused."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

from causeway.errors.service import SchemaBehind, Unavailable
from causeway.errors.tenancy import Forbidden, TenantNotFound, Unauthorized
from causeway.errors.tree import CausewayError
from causeway.tenancy import key_texts
from causeway.tenancy.authorizer_context import AuthorizerContext
from causeway.tenancy.claims import person_of
from causeway.tenancy.identity import Caller
from local.services.demo_data import PEOPLE, TENANTS
from local.stack import Stack
from tests.end_to_end.tokens import KINDS, part, refused_token, signed
from tests.hub.client import ADMIN, DEPLOYMENT_ADMIN, NOBODY, OURS, STAFF, THEIRS, Hub
from tests.unit.subjects import UNUSABLE_SUBJECTS

Rows = Callable[..., list[Any]]
TENANT = TENANTS[OURS]


# Texts that cannot be a single group of letters, digits, underscores and dashes.
AMBIGUOUS = (
    *(
        "casino super_admin",
        "super_admin casino",
        " super_admin",
        "super_admin ",
        "super_admin\tx",
        "super_admin\u00a0x",
    ),
    *("casino,super_admin", "super_admin,", '"super_admin"', "'super_admin'", "super_admin] [staff", "super_admin]["),
    *("[super_admin]", "{super_admin}", "staff super_admin", "super_admin super_admin", "eu-central-1_pool staff"),
)


def claims(**changes: str) -> dict[str, str]:
    """Claims in the form in which API Gateway's authorizer passes them on."""
    return {"sub": "person", "cognito:groups": "[tenant_admin]", "custom:tenant_id": TENANT} | {
        name.replace("__", ":"): value for name, value in changes.items()
    }


@pytest.mark.parametrize("role", ["tenant_admin", "regulator", "staff"])
def test_token_with_one_role_and_a_tenant_is_accepted(role: str) -> None:
    caller = person_of(claims(cognito__groups=f"[{role}]"), None)
    assert (caller.kind, caller.subject, caller.role, caller.tenant) == ("person", "person", role, UUID(TENANT))


@pytest.mark.parametrize("role", ["super_admin", "staff"])
def test_group_as_plain_text_is_a_role_too(role: str) -> None:
    assert person_of(claims(cognito__groups=role), None).role == role


@pytest.mark.parametrize(
    "changed",
    [
        {"cognito__groups": "[]"},
        {"cognito__groups": ""},
        {"cognito__groups": "[tenant_admin staff]"},
        {"cognito__groups": "[super_admin regulator]"},
        {"cognito__groups": "[service]"},
        {"cognito__groups": "[Tenant_Admin]"},
        {"cognito__groups": "[not_tenant_admin_at_all]"},
        # Cognito allows these characters in a group's name.
        {"cognito__groups": "[x,super_admin]"},
        {"cognito__groups": "[[super_admin]]"},
        # Either one group "casino super_admin" or two groups: ambiguous.
        *({"cognito__groups": f"[{text}]"} for text in AMBIGUOUS),
        *({"cognito__groups": text} for text in AMBIGUOUS if text != "[super_admin]"),
        {"cognito__groups": "[super_admin"},
        {"cognito__groups": "super_admin]"},
        {"cognito__groups": "[super_admin]\n"},
        {"sub": "x" * 256},
        *({"sub": sub} for sub in UNUSABLE_SUBJECTS),
        {"custom__tenant_id": ""},
        {"sub": ""},
    ],
)
def test_token_without_exactly_one_role_and_tenant_is_refused(changed: dict[str, str]) -> None:
    """HUB 43"""
    with pytest.raises(Unauthorized):
        person_of(claims(**changed), None)


def test_malformed_tenant_is_not_found() -> None:
    with pytest.raises(TenantNotFound):
        person_of(claims(custom__tenant_id="JAQPOT"), None)


def test_only_a_super_admin_may_name_a_tenant() -> None:
    """HUB 43"""
    assert person_of(claims(), TENANTS[THEIRS]).tenant == UUID(TENANT)
    anywhere = claims(cognito__groups="[super_admin]")
    assert person_of(anywhere, TENANTS[THEIRS]).tenant == UUID(TENANTS[THEIRS])
    # A super admin's own attribute does not choose the tenant either.
    assert person_of(anywhere, None).tenant_id is None


def test_repr_of_a_new_key_shows_no_secret() -> None:
    """HUB 1"""
    key, _ = key_texts.make(UUID(TENANT), uuid4())
    assert key.text not in f"{key} {key!r}"
    assert key.text[20:] not in repr(key)


def bearer(hub: Hub, token: str, method: str = "GET", path: str = "/integrations") -> Any:
    return hub.call(method, path, NOBODY, authorization=f"Bearer {token}")


@pytest.mark.parametrize("groups", [(), ("staff", "tenant_admin"), ("super_admin", "tenant_admin")])
def test_person_without_exactly_one_role_is_refused(
    hub: Hub, someone: Callable[..., str], groups: tuple[str, ...]
) -> None:
    """HUB 43: through Cognito and API Gateway."""
    reply = bearer(hub, someone(*groups))
    assert (reply.status, reply.code) == (401, "UNAUTHORIZED")


@pytest.mark.parametrize(
    "groups", [["casino super_admin"], ["super_admin", "other"], ['x" "super_admin'], [["super_admin"]]]
)
def test_group_that_looks_like_a_role_is_refused_by_both_authorizers(hub: Hub, groups: list[Any]) -> None:
    """HUB 43: over HTTP. Otherwise a token with such a group would be a super admin's, who reads every tenant."""
    token = signed(part(hub.token(DEPLOYMENT_ADMIN) or "", 1) | {"cognito:groups": groups})
    native, ours = (bearer(hub, token, path=path) for path in ("/tenants", "/integrations/templates"))

    assert [(one.status, one.code) for one in (native, ours)] == [(401, "UNAUTHORIZED")] * 2
    assert "exactly one of" in native.json["error"]


def test_person_without_a_known_tenant_is_refused(hub: Hub, someone: Callable[..., str]) -> None:
    without = bearer(hub, someone("tenant_admin", tenant=None))
    unknown = bearer(hub, someone("tenant_admin", tenant=str(uuid4())))
    assert (without.status, without.code) == (401, "UNAUTHORIZED")
    assert (unknown.status, unknown.code) == (404, "TENANT_NOT_FOUND")


def test_suspended_membership_refuses_the_token_and_is_audited(
    hub: Hub, someone: Callable[..., str], rows: Rows
) -> None:
    """HUB 43, 44"""
    token = someone("tenant_admin")
    assert bearer(hub, token).status == 200
    row = rows("SELECT subject, role FROM memberships ORDER BY created_at DESC LIMIT 1")[0]
    assert row.role == "tenant_admin"
    rows("UPDATE memberships SET status = 'suspended' WHERE subject = %s", [row.subject])
    refused = [
        bearer(hub, token, method, path)
        for method, path in (
            *(("GET", "/integrations"), ("GET", "/integrations/templates"), ("GET", "/api-keys"), ("GET", "/audit")),
            ("DELETE", f"/integrations/{uuid4()}"),
        )
    ]
    entries = hub.call("GET", f"/audit?actor={row.subject}&action=access.refused").json["entries"]
    rows("UPDATE memberships SET status = 'active' WHERE subject = %s", [row.subject])

    assert {(reply.status, reply.code) for reply in refused} == {(403, "FORBIDDEN")}
    assert len(entries) == len(refused)
    assert bearer(hub, token).status == 200


def test_role_of_a_membership_follows_the_token(hub: Hub, stack: Stack, rows: Rows) -> None:
    hub.call("GET", "/integrations", STAFF)
    known = rows("SELECT role FROM memberships WHERE tenant_id = %s GROUP BY role ORDER BY role", [TENANT])
    assert {row.role for row in known} >= {"staff"}
    assert rows("SELECT FROM memberships WHERE role = 'super_admin'") == []


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer x", "Bearer a.b.c", "Basic dTpw", "Bearer " + "A" * 4000, "cwk_x"]
)
def test_header_without_a_token_is_refused(hub: Hub, authorization: str) -> None:
    reply = hub.call("GET", "/integrations", NOBODY, authorization=authorization)
    assert reply.status == 401


def test_token_with_a_changed_signature_or_payload_is_refused(hub: Hub) -> None:
    header, payload, signature = (hub.token(ADMIN) or "").split(".")
    other = (hub.token(STAFF) or "").split(".")
    for token in (f"{header}.{other[1]}.{signature}", f"{header}.{payload}.", f"{header}.{payload}.{other[2]}"):
        assert bearer(hub, token).status == 401


@pytest.mark.parametrize("kind", KINDS)
def test_token_with_one_thing_wrong_is_refused_by_both_authorizers(hub: Hub, kind: str) -> None:
    """HUB 43: by API Gateway's own authorizer, and by ours on the routes that machines may call."""
    token = refused_token(kind, hub.token(ADMIN) or "")
    native, ours = (bearer(hub, token, path=path) for path in ("/api-keys", "/integrations"))

    assert (native.status, native.json) == (401, {"message": "Unauthorized"})
    assert (ours.status, ours.code) == (401, "UNAUTHORIZED")


def test_access_token_is_refused_by_both_authorizers(hub: Hub, stack: Stack) -> None:
    """An access token does not name the tenant."""
    token = stack.user_pool.log_in(PEOPLE[OURS]["tenant_admin"].name)["AccessToken"]
    for path in ("/api-keys", "/integrations"):
        assert (bearer(hub, token, path=path).status, bearer(hub, token, path=path).code) == (401, "UNAUTHORIZED")


def test_both_authorizers_find_the_same_person(hub: Hub, someone: Callable[..., str]) -> None:
    token = someone("tenant_admin")
    made = bearer(hub, token, "POST", "/integrations/" + str(uuid4()) + "/test"), bearer(hub, token, path="/api-keys")
    key = hub.call("POST", "/api-keys", NOBODY, {"name": str(uuid4())}, authorization=f"Bearer {token}").json

    assert [reply.status for reply in made] == [404, 200]
    assert key["createdBy"] == part(token, 1)["sub"]


def test_hubs_503_does_not_mention_money() -> None:
    """HUB 56: a caller of the hub has no transaction id to repeat; only the wallet's own error mentions one."""
    told = Unavailable(cause="why")

    assert (told.code, told.status, told.cause, told.retry_after) == ("UNAVAILABLE", 503, "why", 1)
    assert "money" not in f"{told.sentence} {told.action}"
    assert "Idempotency-Key" in told.action
    assert SchemaBehind().sentence == "The service is being updated"


@pytest.mark.parametrize("code", ["UNAVAILABLE", "INTERNAL"])
def test_authorizers_failure_is_503_and_not_401(code: str) -> None:
    """The issuer or the database may be down: a valid token must not be called invalid."""
    with pytest.raises(CausewayError) as raised:
        AuthorizerContext.parse({"lambda": {"refused": code}}).caller(None)
    assert raised.value.status >= 500


@pytest.mark.parametrize(
    "authorizer",
    [
        *({}, {"lambda": {}}, {"lambda": None}, {"lambda": {"refused": "UNAUTHORIZED"}}, {"lambda": {"refused": "?"}}),
        *({"lambda": {"keyId": "x"}}, {"lambda": {"tenantId": "x"}}, {"jwt": {}}, {"jwt": {"claims": None}}),
        {"lambda": {"refused": "UNAUTHORIZED", "keyId": "x", "tenantId": "x", "sub": "x"}},
    ],
)
def test_event_without_a_caller_is_refused(authorizer: dict[str, Any]) -> None:
    """HUB 43: a route without an authorizer is closed, not open."""
    with pytest.raises(Unauthorized):
        AuthorizerContext.parse(authorizer).caller(None)


def test_permission_outside_the_callers_role_is_refused() -> None:
    with pytest.raises(Forbidden, match="staff lacks audit"):
        Caller("person", "x", "staff", UUID(TENANT)).require("audit.read")


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({}, ("", "", False)),
        (
            {"name": " Zoe\u0308  B ", "email": "zoe@example.com", "email_verified": "true"},
            ("Zo\u00eb B", "zoe@example.com", True),
        ),
        ({"email": "zoe@example.com", "email_verified": "false"}, ("", "zoe@example.com", False)),
        ({"email": "zoe@example.com"}, ("", "zoe@example.com", False)),
        ({"name": "\u202eX", "email": "a@b@c", "email_verified": "true"}, ("", "", False)),
        ({"name": "x" * 201, "email": f"{'x' * 250}@example.com"}, ("", "", False)),
        ({"name": "\0", "email": "a\nb@example.com"}, ("", "", False)),
        ({"name": "\ud800"}, ("", "", False)),
        ({"name": "", "email": "<script>@example.com"}, ("", "", False)),
    ],
)
def test_malformed_name_or_email_is_left_out(claims: dict[str, str], expected: tuple[str, str, bool]) -> None:
    """A malformed name or address is dropped; where the caller is shown, neither appears."""
    who = {"sub": "someone", "cognito:groups": "[staff]", "custom:tenant_id": TENANTS[OURS]}
    caller = person_of(who | claims, None)

    assert (caller.profile.name, caller.profile.email, caller.profile.email_verified) == expected
    assert "zoe" not in repr(caller).lower()
