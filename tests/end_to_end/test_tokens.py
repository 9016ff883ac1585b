"""Tokens of moto's Cognito at the gateway: which are accepted, how others are refused, what the function receives."""

import json
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import requests

from local import ROOT
from local.services import demo_data
from local.services.cognito import GROUPS, Person
from local.stack import Stack
from tests.end_to_end.tokens import KINDS, part, refused_token, signed

UNAUTHORIZED = b'{"message":"Unauthorized"}'
ADMIN_SCOPE = "aws.cognito.signin.user.admin"


@pytest.fixture(scope="module")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack with the user pool, and a function that returns its event."""
    template = ROOT / "tests" / "local" / "toy" / "template.yaml"
    with Stack(state_folder=tmp_path_factory.mktemp("echo"), template=template) as running:
        yield running


def launch(
    stack: Stack, authorization: str | None, user_id: int = demo_data.PLAYER_ID, tenant: str | None = None
) -> requests.Response:
    headers = {} if authorization is None else {"Authorization": authorization}
    if tenant is not None:
        headers["X-Tenant-Id"] = tenant
    body = {"userId": user_id, "gameId": 1}
    return requests.post(f"{stack.base_url}/casino/launchGame", json=body, headers=headers, timeout=30)


def protected(stack: Stack, authorization: str | None, path: str = "/protected") -> requests.Response:
    headers = {} if authorization is None else {"Authorization": authorization}
    return requests.get(stack.base_url + path, headers=headers, timeout=30)


def tenant_admin(stack: Stack) -> str:
    return stack.info["tokens"][demo_data.CASINO_CODE]["tenant_admin"]


@pytest.mark.parametrize("kind", KINDS)
def test_bad_token_is_unauthorized_and_the_function_does_not_run(echo: Stack, kind: str) -> None:
    log = echo.log("protected")
    before = log.read_text() if log.exists() else ""

    answer = protected(echo, f"Bearer {refused_token(kind, tenant_admin(echo))}")

    assert (answer.status_code, answer.content) == (401, UNAUTHORIZED)
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["www-authenticate"] == (
        f'Bearer scope="" error="invalid_token" error_description="{KINDS[kind]}"'
    )
    assert (log.read_text() if log.exists() else "") == before


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer "])
def test_missing_token_is_unauthorized(echo: Stack, authorization: str | None) -> None:
    answer = protected(echo, authorization)

    assert (answer.status_code, answer.content) == (401, UNAUTHORIZED)
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER ", ""])
def test_scheme_may_be_in_any_case_or_absent(echo: Stack, scheme: str) -> None:
    assert protected(echo, scheme + tenant_admin(echo)).status_code == 200


def test_unchanged_token_signed_by_the_tests_is_accepted(echo: Stack) -> None:
    assert protected(echo, f"Bearer {signed(part(tenant_admin(echo), 1))}").status_code == 200


def test_function_receives_claims_as_texts_and_no_scopes(echo: Stack) -> None:
    token = tenant_admin(echo)
    sent = part(token, 1)

    context = protected(echo, f"Bearer {token}").json()["event"]["requestContext"]

    assert context["authorizer"].keys() == {"jwt"}
    assert context["authorizer"]["jwt"] == {
        "claims": sent
        | {name: str(sent[name]) for name in ("iat", "exp", "auth_time")}
        | {"cognito:groups": "[tenant_admin]"},
        "scopes": None,
    }
    assert sent["custom:tenant_id"] == demo_data.TENANT_ID
    assert sent["token_use"] == "id"


def test_several_groups_are_one_text_in_brackets_separated_by_spaces(echo: Stack) -> None:
    claims = part(tenant_admin(echo), 1) | {"cognito:groups": ["staff", "regulator"]}

    context = protected(echo, f"Bearer {signed(claims)}").json()["event"]["requestContext"]

    assert context["authorizer"]["jwt"]["claims"]["cognito:groups"] == "[staff regulator]"


def test_function_of_an_open_route_receives_no_authorizer_context(echo: Stack) -> None:
    for authorization in (None, "Bearer no-token", f"Bearer {tenant_admin(echo)}"):
        answer = protected(echo, authorization, "/echo/x")

        assert answer.status_code == 200
        assert "authorizer" not in answer.json()["event"]["requestContext"]


def test_route_with_scopes_refuses_an_id_token_and_accepts_an_access_token(echo: Stack) -> None:
    tokens = echo.user_pool.log_in(demo_data.SUPER_ADMIN.name)

    forbidden = protected(echo, f"Bearer {tokens['IdToken']}", "/scoped")
    passed = protected(echo, f"Bearer {tokens['AccessToken']}", "/scoped")

    assert (forbidden.status_code, forbidden.content) == (403, b'{"message":"Forbidden"}')
    assert forbidden.headers["www-authenticate"].startswith(
        f'Bearer scope="other/scope {ADMIN_SCOPE}" error="insufficient_scope" '
    )
    jwt = passed.json()["event"]["requestContext"]["authorizer"]["jwt"]
    assert jwt["scopes"] == [ADMIN_SCOPE]
    # Cognito's access tokens have client_id instead of aud.
    assert "aud" not in jwt["claims"]
    assert jwt["claims"]["client_id"] == echo.info["user_pool_client_id"]


def test_every_role_of_every_tenant_has_a_token(stack: Stack) -> None:
    tokens = stack.info["tokens"]
    people = {(code, role): token for code in demo_data.TENANTS for role, token in tokens[code].items()}

    assert tokens.keys() == {*demo_data.TENANTS, "super_admin"}
    for code, tenant_id in demo_data.TENANTS.items():
        assert tokens[code].keys() >= set(GROUPS) - {"super_admin"}
        assert {part(token, 1)["custom:tenant_id"] for token in tokens[code].values()} == {tenant_id}
    for (_, role), token in people.items():
        assert part(token, 1).get("cognito:groups") == (None if role == "player" else [role])
    assert "custom:tenant_id" not in part(tokens["super_admin"], 1)
    assert part(tokens["super_admin"], 1)["cognito:groups"] == ["super_admin"]
    subjects = [part(token, 1)["sub"] for token in (*people.values(), tokens["super_admin"])]
    assert len(set(subjects)) == len(subjects) == 8


def test_tokens_can_be_renewed(echo: Stack) -> None:
    before = tenant_admin(echo)

    answer = requests.post(f"{echo.base_url}/_local/tokens", timeout=30)

    assert answer.status_code == 200
    written = json.loads((echo.state_folder / "stack.json").read_text())
    assert answer.json() == written["tokens"] == echo.info["tokens"]
    after = answer.json()[demo_data.CASINO_CODE]["tenant_admin"]
    assert part(after, 1)["jti"] != part(before, 1)["jti"]
    assert protected(echo, f"Bearer {after}").status_code == 200


def test_launch_is_open_locally_but_a_bad_token_is_refused(stack: Stack) -> None:
    assert launch(stack, None).status_code == 200
    assert launch(stack, "Bearer no-token").status_code == 401


def test_players_token_launches_only_for_that_player(stack: Stack) -> None:
    token = f"Bearer {stack.info['tokens'][demo_data.CASINO_CODE]['player']}"

    own, others = launch(stack, token), launch(stack, token, demo_data.PLAYER_ID + 1)

    assert own.status_code == 200
    assert (others.status_code, others.json()["code"]) == (403, "FORBIDDEN")
    # The refusal names no role and no administrator: neither would help.
    assert others.json()["error"] == "Players do this for themselves only"
    assert others.json()["nextAction"] == "Send your own userId."


@pytest.mark.usefixtures("refusals_are_due")
@pytest.mark.parametrize(
    ("role", "status"), [("super_admin", 200), ("tenant_admin", 200), ("regulator", 403), ("staff", 403)]
)
def test_launch_for_another_person_depends_on_the_role_and_is_audited(
    stack: Stack, superuser: psycopg.Connection, role: str, status: int
) -> None:
    """WALLET 47, through the authorizer for tokens and keys."""
    tokens = stack.info["tokens"]
    token = tokens[role] if role == "super_admin" else tokens[demo_data.CASINO_CODE][role]
    answer = launch(stack, f"Bearer {token}", tenant=demo_data.TENANT_ID if role == "super_admin" else None)

    assert answer.status_code == status
    entry = superuser.execute(
        "SELECT actor, actor_role, action FROM audit_log WHERE tenant_id = %s ORDER BY entry DESC LIMIT 1",
        [demo_data.TENANT_ID],
    ).fetchone()
    action = "session.opened" if status == 200 else "access.refused"
    assert entry == (part(token, 1)["sub"], role, action)


def test_machine_launches_with_its_key(stack: Stack) -> None:
    """WALLET 47"""
    body, url = {"userId": demo_data.PLAYER_ID, "gameId": 1}, f"{stack.base_url}/casino/launchGame"
    for key, status in ((stack.info["api_keys"][demo_data.CASINO_CODE], 200), ("cwk_made_up", 401)):
        assert requests.post(url, json=body, headers={"X-API-Key": key}, timeout=30).status_code == status


@pytest.mark.parametrize("path", ["/casino/launchGame", "/casino/simulateRound"])
@pytest.mark.parametrize("role", ["regulator", "staff"])
def test_role_without_the_permission_to_launch_is_refused_before_the_body_is_read(
    stack: Stack, role: str, path: str
) -> None:
    headers = {"Authorization": f"Bearer {stack.info['tokens'][demo_data.CASINO_CODE][role]}"}
    good = json.dumps({"userId": demo_data.PLAYER_ID, "gameId": 1})
    for body, more in (
        *((good, {}), ("", {}), ("[", {}), ("x" * 20_000, {})),
        *((good, {"Idempotency-Key": "k"}), (good, {"X-Tenant-Id": demo_data.SECOND_TENANT_ID})),
    ):
        answer = requests.post(stack.base_url + path, data=body, headers=headers | more, timeout=30)
        assert (answer.status_code, answer.json()["code"]) == (403, "FORBIDDEN")


def test_token_of_another_tenant_finds_no_game_of_this_one(stack: Stack) -> None:
    """HUB 43, for the route that reads the tenant from the token."""
    answer = launch(stack, f"Bearer {stack.info['tokens'][demo_data.SECOND_CODE]['tenant_admin']}")

    assert (answer.status_code, answer.json()["code"]) == (404, "GAME_NOT_FOUND")


def test_user_added_later_logs_in_to_the_same_pool(echo: Stack) -> None:
    echo.user_pool.add(Person("new@riviera.example", "staff", {"tenant_id": demo_data.SECOND_TENANT_ID}))
    token = echo.user_pool.log_in("new@riviera.example")["IdToken"]

    claims = protected(echo, f"Bearer {token}").json()["event"]["requestContext"]["authorizer"]["jwt"]["claims"]

    assert (claims["email"], claims["custom:tenant_id"]) == ("new@riviera.example", demo_data.SECOND_TENANT_ID)


def test_no_log_has_a_token(echo: Stack) -> None:
    token = tenant_admin(echo)
    protected(echo, f"Bearer {token}")

    written = [path.read_text() for path in Path(echo.state_folder).rglob("*.log")]
    assert written
    assert not [text for text in written if token.rpartition(".")[2] in text]
