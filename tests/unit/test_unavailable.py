"""A database that is away: what the caller of each kind of route reads. WALLET 39."""

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from causeway.edge.routes import VARIABLE
from causeway.errors.casino import WalletUnavailable
from causeway.errors.service import SchemaBehind, Unavailable
from causeway.game_signing import authentication, signatures
from causeway.outbound.deadlines import Deadline
from local import ROOT
from tests.unit.gateway_events import Answered, Context, make_event
from tests.unit.secrets_server import SecretsServer
from tools.openapi.functions import Operation, every

OPERATIONS = every(ROOT / "functions")
SIGNED = [one for one in OPERATIONS if one.declaration.authentication.unavailable is WalletUnavailable]
# Reads that a tenant's admin may make with nothing but the path.
READS = [
    one
    for one in OPERATIONS
    if one.declaration.authentication.hub
    and one.declaration.method == "GET"
    and not one.declaration.path.startswith("/tenants")
    and not one.declaration.path.endswith("/free-slots")
]
LIMITER = [one for one in OPERATIONS if one.declaration.path == "/functions/v1/rate-limiter"]
LAUNCHES = [one for one in OPERATIONS if one.declaration.permission == "games.launch"]
SECRETS = {"casino": "the-casino-secret", "provider": "the-provider-secret"}
PREFIX = "causeway/local/game-providers"
TENANT = str(uuid4())
CLAIMS = {"sub": "somebody", "token_use": "id", "cognito:groups": "[tenant_admin]", "custom:tenant_id": TENANT}
SAMPLES = {
    event["rawPath"]: event["body"]
    for event in (json.loads(file.read_text()) for file in (ROOT / "events").glob("*.json"))
    if "body" in event
}


@pytest.mark.parametrize("operation", [*SIGNED[:1], *LAUNCHES[:1]], ids=lambda one: one.declaration.key)
def test_what_an_error_itself_says_of_a_retry_reaches_the_caller(operation: Operation) -> None:
    authentication = operation.declaration.authentication
    error = Unavailable("The issuer is away", action="Log in again.", cause="why")
    error.retry_after = 30
    told, general = authentication.told(error), authentication.told(SchemaBehind(cause="why"))

    assert isinstance(told, authentication.unavailable)
    assert (told.sentence, told.action, told.retry_after, told.cause) == (error.sentence, error.action, 30, "why")
    assert (general.sentence, general.action) == ("The service is being updated", authentication.unavailable.action)
    assert (general.retry_after, general.cause) == (1, "why")


def named(operation: Operation) -> str:
    return operation.declaration.key


@pytest.fixture(autouse=True)
def away(extension: SecretsServer, set_environment: Callable[..., None]) -> None:
    """Secrets can be read; nothing listens at the database's address."""
    set_environment(
        SECRETS_EXTENSION_URL=extension.url,
        AWS_SESSION_TOKEN="session-token",
        GAME_PROVIDER_SECRETS=PREFIX,
        DATABASE_HOST="127.0.0.1",
        DATABASE_PORT="9",
        DATABASE_NAME="casino",
        DATABASE_USER="casino",
        DATABASE_SECRET="database",
        STAGE="production",
    )
    extension.secrets |= {
        "database": {"password": "x"},
        f"{PREFIX}/DEMO": {"tenant_id": TENANT} | {f"{side}_secrets": [secret] for side, secret in SECRETS.items()},
    }


def called(operation: Operation, event: dict[str, Any]) -> Answered:
    answer = operation.module.handler(event, Context())
    return Answered(answer["statusCode"], answer["headers"], answer["body"])


def test_signed_routes_are_these() -> None:
    assert {one.declaration.path for one in SIGNED} == {
        *("/casino/getBalance", "/casino/debit", "/casino/credit", "/casino/rollback"),
        *("/provider/launch", "/provider/simulate"),
    }


@pytest.mark.parametrize("proven", [False, True])
@pytest.mark.parametrize("operation", SIGNED, ids=named)
def test_signed_route_says_that_the_outcome_is_unknown(operation: Operation, proven: bool) -> None:
    """Before the signature is verified, as the database knows the game providers; and after it, from the work."""
    path = operation.declaration.path
    side: authentication.Side = "casino" if path.startswith("/casino/") else "provider"
    if proven:
        # An environment that has read the secret does not ask the database for the game provider.
        authentication.shared_secrets("DEMO", fresh=False, deadline=Deadline(1))
    body = SAMPLES[path]
    signature = signatures.sign_bare(SECRETS[side], body.encode())
    answered = called(operation, make_event(path, body, signature=signature, direction=side))

    assert (answered.status, answered.fields["code"], answered.headers["retry-after"]) == (503, "UNAVAILABLE", "1")
    assert answered.fields["error"] == WalletUnavailable().sentence
    assert "outcome is unknown until the same call is sent again" in answered.fields["error"]
    assert ("x-casino-response-signature" in answered.headers) == (proven and side == "casino")


@pytest.mark.parametrize("operation", [*READS, *LAUNCHES, *LIMITER], ids=named)
def test_route_of_people_and_machines_does_not_speak_of_money(operation: Operation) -> None:
    path, method = operation.declaration.path, operation.declaration.method
    authorizer = {"lambda": CLAIMS} if operation in (*LAUNCHES, *LIMITER) else {"jwt": {"claims": CLAIMS}}
    event = make_event(path, SAMPLES[path] if method == "POST" else None, method=method, authorizer=authorizer)
    event["headers"]["authorization"] = "Bearer x"
    ids = {name: "1" if name == "log_id" else str(uuid4()) for name in VARIABLE.findall(path)}
    event["pathParameters"] = ids
    answered = called(operation, event)

    expected = operation.declaration.authentication.unavailable()
    assert (answered.status, answered.fields["code"]) == (503, "UNAVAILABLE")
    assert (answered.fields["error"], answered.fields["nextAction"]) == (expected.sentence, expected.action)
    assert "money" not in answered.body
