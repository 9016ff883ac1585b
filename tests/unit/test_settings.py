"""Settings from the environment: read on first use; the error for a missing one names it and says what to do."""

from collections.abc import Callable
from dataclasses import FrozenInstanceError
from uuid import UUID

import pytest

from causeway import settings
from causeway.errors.service import Internal, Misconfigured

SetEnvironment = Callable[..., None]

DATABASE = {
    "DATABASE_HOST": "db.example",
    "DATABASE_PORT": "6432",
    "DATABASE_NAME": "causeway",
    "DATABASE_USER": "causeway_casino",
    "DATABASE_SECRET": "causeway/staging/database/causeway_casino",
    "DATABASE_CA_FILE": "/opt/rds.pem",
}
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "id",
    "AWS_SECRET_ACCESS_KEY": "key",
    "AWS_SESSION_TOKEN": "token",
    "AWS_REGION": "eu-central-1",
}


def test_database_settings_are_read_field_by_field(set_environment: SetEnvironment) -> None:
    set_environment(**DATABASE)

    assert settings.database() == settings.DatabaseSettings(
        host="db.example",
        port=6432,
        name="causeway",
        user="causeway_casino",
        secret="causeway/staging/database/causeway_casino",
        ca_file="/opt/rds.pem",
    )


def test_database_port_secret_and_certificates_have_defaults(set_environment: SetEnvironment) -> None:
    set_environment(DATABASE_HOST="h", DATABASE_NAME="n", DATABASE_USER="u")

    assert settings.database() == settings.DatabaseSettings("h", 5432, "n", "u", secret="", ca_file="")


@pytest.mark.parametrize("port", ["", "x", "-1", "5432 ", "5432.0", "0x10"])
def test_port_that_is_not_a_number_is_a_misconfiguration(set_environment: SetEnvironment, port: str) -> None:
    set_environment(**DATABASE | {"DATABASE_PORT": port})

    with pytest.raises(Misconfigured) as raised:
        settings.database()
    assert raised.value.cause == f"The setting DATABASE_PORT is {port!r}: give a number"


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("DATABASE_HOST", settings.database),
        ("DATABASE_NAME", settings.database),
        ("DATABASE_USER", settings.database),
        *((name, settings.aws_credentials) for name in CREDENTIALS),
        ("AWS_SESSION_TOKEN", settings.aws_session_token),
        ("GAME_PROVIDER_SECRETS", settings.game_provider_secrets),
        ("STAGE", settings.stage),
    ],
)
def test_missing_setting_is_named_for_the_log_and_not_for_the_caller(
    set_environment: SetEnvironment, name: str, read: Callable[[], object]
) -> None:
    given = DATABASE | CREDENTIALS | {"GAME_PROVIDER_SECRETS": "prefix", "STAGE": "local"}
    set_environment(**given)
    assert read()

    set_environment(**{other: value for other, value in given.items() if other != name})
    with pytest.raises(Misconfigured) as raised:
        read()
    assert f"The setting {name} is missing" in raised.value.cause
    assert "template.yaml" in raised.value.cause
    assert raised.value.sentence == Internal().sentence


@pytest.mark.parametrize(
    ("name", "read", "default", "given", "expected"),
    [
        ("SECRETS_EXTENSION_URL", settings.secrets_extension_url, "http://localhost:2773", "http://x:1/", "http://x:1"),
        ("SECRET_MAX_AGE", settings.secret_max_age, 30.0, "0.5", 0.5),
        ("DEFAULT_GAME_PROVIDER", settings.default_game_provider, "DEMO", "OTHER", "OTHER"),
        ("DEFAULT_TENANT_ID", settings.default_tenant_id, None, str(UUID(int=1)), UUID(int=1)),
        ("MACHINE_REQUESTS", settings.machine_requests, 1200, "60", 60),
        ("TENANT_REQUESTS", settings.tenant_requests, 6000, "600", 600),
        ("SCHEMA_FOLDER", settings.schema_folder, "/opt/schema", "/elsewhere", "/elsewhere"),
    ],
)
def test_setting_with_a_default_may_be_missing(
    set_environment: SetEnvironment,
    name: str,
    read: Callable[[], object],
    default: object,
    given: str,
    expected: object,
) -> None:
    set_environment()
    assert read() == default

    set_environment(**{name: given})
    assert read() == expected


def test_default_tenant_that_is_not_an_id_is_a_misconfiguration(set_environment: SetEnvironment) -> None:
    set_environment(DEFAULT_TENANT_ID="a tenant")

    with pytest.raises(Misconfigured) as raised:
        settings.default_tenant_id()
    assert raised.value.cause == "The setting DEFAULT_TENANT_ID is 'a tenant': give a tenant's id"


def test_required_settings_are_read(set_environment: SetEnvironment) -> None:
    set_environment(STAGE="staging", GAME_PROVIDER_SECRETS="causeway/staging/game-providers", AWS_SESSION_TOKEN="t")

    assert settings.stage() == "staging"
    assert settings.game_provider_secrets() == "causeway/staging/game-providers"
    assert settings.aws_session_token() == "t"


def test_credentials_are_read_again_because_lambda_may_replace_them(set_environment: SetEnvironment) -> None:
    set_environment(**CREDENTIALS)
    assert settings.aws_credentials() == settings.AwsCredentials("id", "key", "token", "eu-central-1")

    with pytest.MonkeyPatch.context() as later:
        later.setenv("AWS_SESSION_TOKEN", "another")
        assert settings.aws_credentials().session_token == "another"
        assert settings.aws_session_token() == "another"


def test_other_settings_are_read_once(set_environment: SetEnvironment) -> None:
    set_environment(STAGE="local")
    assert settings.stage() == "local"

    with pytest.MonkeyPatch.context() as later:
        later.setenv("STAGE", "production")
        assert settings.stage() == "local"


def test_settings_cannot_be_changed(set_environment: SetEnvironment) -> None:
    set_environment(**DATABASE)

    with pytest.raises(FrozenInstanceError):
        settings.database().host = "elsewhere"  # ty: ignore[invalid-assignment]
