"""The session's stack as game providers call it over HTTP, and its database, secrets and processes."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import boto3
import psycopg
import pytest

from local.account import REGION
from local.services import demo_data
from local.services.postgres import Postgres
from local.services.services import GAME_PROVIDERS
from local.stack import Stack
from tests.conformance.client import Casino

SECOND_CODE = "SECOND"
SECOND_SECRETS = {"casino_secrets": ["second-casino-secret"], "provider_secrets": ["second-provider-secret"]}


@pytest.fixture(scope="session")
def casino(stack: Stack) -> Iterator[Casino]:
    """The casino as the demo game provider sees it."""
    with Casino(stack.base_url, stack.info["casino_secret"]) as demo:
        yield demo


@pytest.fixture
def superuser(stack: Stack) -> Iterator[psycopg.Connection]:
    with psycopg.connect(stack.database_urls["superuser"], autocommit=True) as database:
        yield database


@pytest.fixture
def postgres(stack: Stack) -> Postgres:
    """The stack's own Postgres server, which a test may stop and start."""
    try:
        return stack.postgres
    except RuntimeError:
        pytest.skip("DATABASE_URL's server is not ours to stop")


@pytest.fixture(scope="session")
def secrets_manager(stack: Stack) -> Any:
    """A client of the stack's Secrets Manager."""
    return boto3.client(
        "secretsmanager",
        endpoint_url=stack.info["aws_endpoint_url"],
        region_name=REGION,
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )


@pytest.fixture
def rotate(stack: Stack, secrets_manager: Any) -> Iterator[Callable[..., None]]:
    """Replaces the demo game provider's casino secrets, the current one first; restores them after the test."""
    name = f"{GAME_PROVIDERS}/{demo_data.GAME_PROVIDER_CODE}"
    stored = json.loads(secrets_manager.get_secret_value(SecretId=name)["SecretString"])

    def store(*casino_secrets: str) -> None:
        value = stored | {"casino_secrets": casino_secrets}
        secrets_manager.put_secret_value(SecretId=name, SecretString=json.dumps(value))

    yield store
    store(*stored["casino_secrets"])
    kill_environments(stack)


def kill_environments(stack: Stack, function: str | None = None) -> None:
    """Kill all execution environments of a function, or of all functions, and return when they have ended."""
    doomed = {status.pid for status in stack.environments(function)}
    for pid in doomed:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    while doomed & {status.pid for status in stack.environments(function)}:
        time.sleep(0.01)


@pytest.fixture(scope="session")
def second(stack: Stack, secrets_manager: Any) -> Iterator[Casino]:
    """The casino as a second game provider sees it: it has its own secret and may not send bare signatures."""
    with psycopg.connect(stack.database_urls["superuser"]) as database:
        row = database.execute(
            """
            WITH provider AS (
                INSERT INTO casino_game_providers (tenant_id, code, display_name, api_url, allow_bare_signature)
                VALUES (%s, %s, 'Second Games', %s, false)
                RETURNING tenant_id, game_provider_id
            )
            INSERT INTO casino_games (tenant_id, game_provider_id, code, display_name)
            SELECT tenant_id, game_provider_id, 'SLOTS_001', 'Second Slots' FROM provider
            RETURNING game_id
            """,
            [demo_data.TENANT_ID, SECOND_CODE, stack.base_url],
        ).fetchone()
        # The casino's calls to it go to the demo game provider, which accepts this code too.
        database.execute(
            "INSERT INTO provider_casinos VALUES (%s, %s, %s, %s)",
            [demo_data.TENANT_ID, SECOND_CODE, stack.base_url, SECOND_CODE],
        )
    assert row is not None
    secret = {"tenant_id": demo_data.TENANT_ID, **SECOND_SECRETS}
    secrets_manager.create_secret(Name=f"{GAME_PROVIDERS}/{SECOND_CODE}", SecretString=json.dumps(secret))
    with Casino(
        stack.base_url, SECOND_SECRETS["casino_secrets"][0], game_id=row[0], code=SECOND_CODE, timed=True
    ) as casino:
        yield casino


def told_secrets(stack: Stack) -> list[str]:
    """Return every secret that the stack's functions know."""
    passwords = [urlsplit(url).password or "" for url in stack.database_urls.values()]
    shared = [stack.info["casino_secret"], stack.info["provider_secret"]]
    others = [secret for secrets in SECOND_SECRETS.values() for secret in secrets]
    return [secret for secret in [*passwords, *shared, *others, stack.info["aws_session_token"]] if secret]
