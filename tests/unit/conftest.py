"""The settings of one test's environment, and a secrets extension at the address that they name."""

import os
from collections.abc import Callable, Iterator

import pytest

from causeway import settings
from causeway.aws import secrets
from tests.unit.secrets_server import SecretsServer

_SETTINGS = (
    "AUDIT_SECRET",
    "AWS_",
    "DATABASE_",
    "DEFAULT_",
    "EGRESS_",
    "GAME_PROVIDER_",
    "KMS_KEY_ID",
    "SCHEMA_",
    "SECRET",
    "STAGE",
    "TOKEN_",
)


def _forget() -> None:
    for setting in vars(settings).values():
        if hasattr(setting, "cache_clear"):
            setting.cache_clear()
    secrets.current.cache_clear()


@pytest.fixture
def set_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Sets these environment variables and unsets all others: set_environment(STAGE="local")."""

    def give(**settings_given: str) -> None:
        for name in list(os.environ):
            if name.startswith(_SETTINGS):
                monkeypatch.delenv(name)
        for name, value in settings_given.items():
            monkeypatch.setenv(name, value)
        _forget()

    give()
    yield give
    _forget()


@pytest.fixture
def extension(set_environment: Callable[..., None]) -> Iterator[SecretsServer]:
    """A secrets extension, whose address and token are in the environment."""
    with SecretsServer() as server:
        set_environment(SECRETS_EXTENSION_URL=server.url, AWS_SESSION_TOKEN="session-token")
        yield server
