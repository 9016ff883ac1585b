"""The edge of launches: the caller by token or key, and requests that are refused before a launch; WALLET 47."""

from collections.abc import Callable
from typing import Any

import pytest

from causeway.casino import games
from causeway.casino.game_sessions import LaunchRequest
from causeway.edge import answers
from causeway.edge.launches import route
from causeway.edge.routes import App
from causeway.errors.casino import GameNotFound, LaunchUnavailable
from causeway.errors.requests import InvalidRequest
from causeway.tenancy.launcher import Launcher
from causeway.wire.models import Request
from tests.unit.gateway_events import Answered, Context, make_event, of_size
from tests.unit.subjects import UNUSABLE_SUBJECTS

TENANT = "00000000-0000-4000-8000-000000000001"
OTHER_TENANT = "00000000-0000-4000-8000-000000000002"
PLAYER = {"sub": "6c1f", "token_use": "id", "custom:tenant_id": TENANT, "custom:player_id": "7"}
ADMIN = {"sub": "admin", "token_use": "id", "custom:tenant_id": TENANT, "cognito:groups": "[tenant_admin]"}
SUPER_ADMIN = {"sub": "root", "token_use": "id", "cognito:groups": "[super_admin]"}
KEY = {"keyId": "0e5c9f7e-8a11-4a53-9c5a-b6f2a9d1c001", "tenantId": TENANT}


Send = Callable[..., Answered]


class Launch(Request):
    """The body of the test's function."""

    refuse: bool = False


@pytest.fixture
def send(set_environment: Callable[..., None]) -> Send:
    """Calls a function that answers who the caller is: send(claims, headers, body)."""
    app = App()

    @route(app, "POST", "/casino/launchGame", admit=games.admit)
    def launch(launcher: Launcher, body: Launch) -> dict[str, Any]:
        if body.refuse:
            raise GameNotFound
        context = launcher.context
        return {
            "tenant": str(launcher.tenant_id),
            "player": launcher.player_id,
            "caller": None if context is None else [context.caller.role, context.caller.subject],
        }

    handler = answers.lambda_handler(app)

    def call(
        claims: dict[str, str] | None,
        headers: dict[str, str] | None = None,
        body: str = "{}",
        query: dict[str, str] | None = None,
    ) -> Answered:
        event = make_event("/casino/launchGame", body, authorizer=None if claims is None else {"lambda": claims})
        event["headers"] |= {"authorization": "Bearer x"} if headers is None else headers
        event |= {} if query is None else {"queryStringParameters": query}
        result = handler(event, Context())
        return Answered(result["statusCode"], result["headers"], result["body"])

    set_environment(STAGE="production", DEFAULT_TENANT_ID="")
    return call


@pytest.mark.parametrize(
    ("claims", "tenant", "player", "caller"),
    [
        (PLAYER, TENANT, 7, ["player", "6c1f"]),
        (ADMIN, TENANT, None, ["tenant_admin", "admin"]),
        (ADMIN | {"custom:player_id": "7"}, TENANT, 7, ["tenant_admin", "admin"]),
        (SUPER_ADMIN, OTHER_TENANT, None, ["super_admin", "root"]),
        (KEY, TENANT, None, ["service", KEY["keyId"]]),
    ],
)
def test_caller_is_the_authorizers_result(
    send: Send, claims: dict[str, str], tenant: str, player: int | None, caller: list[str]
) -> None:
    headers = {"X-Tenant-Id": OTHER_TENANT} if claims is SUPER_ADMIN else {}
    answered = send(claims, {"Authorization": "Bearer x"} | headers)

    assert answered.fields == {"tenant": tenant, "player": player, "caller": caller}


@pytest.mark.parametrize(
    ("claims", "status", "code"),
    [
        ({"refused": "UNAUTHORIZED"}, 401, "UNAUTHORIZED"),
        ({"refused": "UNAVAILABLE"}, 503, "UNAVAILABLE"),
        ({}, 401, "UNAUTHORIZED"),
        (None, 401, "UNAUTHORIZED"),
        (PLAYER | {"token_use": "access"}, 401, "UNAUTHORIZED"),
        (PLAYER | {"sub": ""}, 401, "UNAUTHORIZED"),
        (PLAYER | {"custom:player_id": ""}, 401, "UNAUTHORIZED"),
        (PLAYER | {"custom:player_id": "[7]"}, 401, "UNAUTHORIZED"),
        (PLAYER | {"custom:player_id": "\u0667"}, 401, "UNAUTHORIZED"),
        (PLAYER | {"custom:player_id": "9" * 5000}, 401, "UNAUTHORIZED"),
        (PLAYER | {"custom:player_id": "007"}, 401, "UNAUTHORIZED"),
        (PLAYER | {"custom:player_id": "0"}, 401, "UNAUTHORIZED"),
        *((PLAYER | {"sub": sub}, 401, "UNAUTHORIZED") for sub in UNUSABLE_SUBJECTS),
        ({name: claim for name, claim in PLAYER.items() if name != "custom:tenant_id"}, 401, "UNAUTHORIZED"),
        (PLAYER | {"custom:tenant_id": "x"}, 404, "TENANT_NOT_FOUND"),
        (PLAYER | {"cognito:groups": "[nobody]"}, 401, "UNAUTHORIZED"),
        (SUPER_ADMIN, 400, "TENANT_REQUIRED"),
    ],
)
def test_launch_without_an_authenticated_tenant_is_refused(
    send: Send, claims: dict[str, str] | None, status: int, code: str
) -> None:
    answered = send(claims)

    assert (answered.status, answered.fields["code"]) == (status, code)


@pytest.mark.parametrize("sentence", ["", "The service is being updated"])
def test_503_says_to_launch_again_and_names_no_idempotency_key(send: Send, sentence: str) -> None:
    """A launch refuses Idempotency-Key."""
    refused = {"refused": "UNAVAILABLE"} | ({"sentence": sentence} if sentence else {})
    answered = send(refused)

    assert answered.fields["nextAction"].startswith("Launch again after Retry-After seconds")
    assert answered.fields["error"] == (sentence or LaunchUnavailable().sentence)
    assert (answered.fields["code"], answered.headers["retry-after"]) == ("UNAVAILABLE", "1")


def test_launch_without_token_and_key_is_possible_on_laptops_only(
    send: Send, set_environment: Callable[..., None]
) -> None:
    assert send({"refused": "UNAUTHORIZED"}, {}).fields["code"] == "TOKEN_REQUIRED"

    set_environment(STAGE="local", DEFAULT_TENANT_ID=TENANT)
    assert send({"refused": "UNAUTHORIZED"}, {}).fields == {"tenant": TENANT, "player": None, "caller": None}
    # A token is verified even where none is required.
    for headers in ({"Authorization": "Bearer x"}, {"authorization": ""}, {"X-API-Key": "x"}):
        assert send({"refused": "UNAUTHORIZED"}, headers).status == 401


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("", 400, "INVALID_REQUEST"),
        ("[]", 400, "INVALID_REQUEST"),
        (of_size(16 * 1024 + 1), 413, "PAYLOAD_TOO_LARGE"),
        ('{"refuse":true}', 404, "GAME_NOT_FOUND"),
    ],
)
def test_errors_have_the_usual_form(send: Send, body: str, status: int, code: str) -> None:
    answered = send(PLAYER, body=body)

    assert (answered.status, answered.fields["code"]) == (status, code)
    assert answered.fields["requestId"] == "request-id"


@pytest.mark.parametrize("claims", [PLAYER, ADMIN, KEY])
def test_another_tenant_is_404(send: Send, set_environment: Callable[..., None], claims: dict[str, str]) -> None:
    """HUB 43, for launches, even if the log of refused attempts cannot be reached."""
    away = {"SECRETS_EXTENSION_URL": "http://127.0.0.1:9", "AWS_SESSION_TOKEN": "x"}
    database = dict.fromkeys(("DATABASE_HOST", "DATABASE_NAME", "DATABASE_USER", "DATABASE_SECRET"), "x")
    set_environment(STAGE="production", **away, **database)
    for asked in (OTHER_TENANT, "x", ""):
        answered = send(claims, {"Authorization": "Bearer x", "X-Tenant-Id": asked})
        assert (answered.status, answered.fields["code"]) == (404, "TENANT_NOT_FOUND")
    assert send(claims, {"Authorization": "Bearer x", "X-Tenant-Id": TENANT.upper()}).status == 200


def test_another_tenant_is_404_on_a_laptop(send: Send, set_environment: Callable[..., None]) -> None:
    set_environment(STAGE="local", DEFAULT_TENANT_ID=TENANT)

    assert send(None, {"X-Tenant-Id": OTHER_TENANT}).fields["code"] == "TENANT_NOT_FOUND"
    assert send(None, {"X-Tenant-Id": TENANT}).status == 200


@pytest.mark.parametrize("header", ["Idempotency-Key", "If-Match", "if-match"])
@pytest.mark.parametrize("value", ["", "*", "k-1"])
def test_unsupported_header_is_refused(send: Send, header: str, value: str) -> None:
    """HUB 50: a client that sends the header would take a second session for the first."""
    answered = send(PLAYER, {"Authorization": "Bearer x", header: value})

    assert (answered.status, answered.fields["code"]) == (400, "INVALID_REQUEST")
    assert header.lower() in answered.fields["error"].lower()


def test_parameters_in_the_query_are_refused(send: Send) -> None:
    answered = send(PLAYER, query={"currency": "EUR"})

    assert (answered.status, answered.fields["code"]) == (400, "INVALID_REQUEST")
    assert answered.fields["problems"] == [{"path": "currency", "rule": "is not a known field: there are no fields"}]


@pytest.mark.parametrize("more", [{"currencey": "EUR"}, {"providerSessionId": "x"}])
def test_unknown_field_is_refused(more: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest, match="is not a known field: the fields are userId, gameId, currency"):
        LaunchRequest.parse({"userId": 1, "gameId": 1} | more)
