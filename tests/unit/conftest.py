"""The settings of one test's environment, and a secrets extension at the address that they name."""

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from causeway import settings
from causeway.aws import secrets
from causeway.outbound import pinned_adapter
from tests.unit.certificates import issued
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


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The certificate of a certificate authority, and the certificate with key that it issued to platform.test."""
    return issued(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def loopback_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names that end in .test are those of this machine."""
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *given, **more: real("127.0.0.1" if host.endswith(".test") else host, *given, **more),
    )


@pytest.fixture
def trusted(authority: tuple[Path, Path], loopback_names: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The client trusts the authority."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority[0]))
    pinned_adapter._trusted.cache_clear()
    yield
    pinned_adapter._trusted.cache_clear()
