"""The settings of a function. Only this module reads environment variables, each on first use."""

import os
from dataclasses import dataclass
from functools import cache
from uuid import UUID

from causeway.errors.service import Misconfigured


def _setting(name: str, default: str | None = None) -> str:
    value = os.environ.get(name, default)
    if value is None:
        raise Misconfigured(
            cause=f"The setting {name} is missing: give it in the function's Environment in template.yaml"
        )
    return value


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """The settings of a function's database."""

    host: str
    port: int
    name: str
    user: str
    # The name of a secret {"password": ...}; empty: use an RDS IAM token as password.
    secret: str
    # The file of certificate authorities to verify the server's certificate with; empty: TLS is not required.
    ca_file: str


@cache
def database() -> DatabaseSettings:
    """Return the database's settings.

    Raises:
        Misconfigured: a setting is missing, or the port is not a number.
    """
    port = _setting("DATABASE_PORT", "5432")
    if not port.isdecimal():
        raise Misconfigured(cause=f"The setting DATABASE_PORT is {port!r}: give a number")
    return DatabaseSettings(
        host=_setting("DATABASE_HOST"),
        port=int(port),
        name=_setting("DATABASE_NAME"),
        user=_setting("DATABASE_USER"),
        secret=_setting("DATABASE_SECRET", ""),
        ca_file=_setting("DATABASE_CA_FILE", ""),
    )


@dataclass(frozen=True, slots=True)
class AwsCredentials:
    """The credentials of the function's role, as Lambda provides them."""

    access_key_id: str
    secret_access_key: str
    session_token: str
    region: str


def aws_credentials() -> AwsCredentials:
    """Return the role's credentials. Not cached: Lambda may replace them between invocations.

    Raises:
        Misconfigured: one is missing. Outside Lambda, set DATABASE_SECRET instead.
    """
    return AwsCredentials(
        access_key_id=_setting("AWS_ACCESS_KEY_ID"),
        secret_access_key=_setting("AWS_SECRET_ACCESS_KEY"),
        session_token=_setting("AWS_SESSION_TOKEN"),
        region=_setting("AWS_REGION"),
    )


@cache
def secrets_extension_url() -> str:
    """Return the base URL of the AWS Parameters and Secrets extension."""
    return _setting("SECRETS_EXTENSION_URL", "http://localhost:2773").rstrip("/")


@cache
def secret_max_age() -> float:
    """Return how many seconds a secret is cached before it is read again."""
    return float(_setting("SECRET_MAX_AGE", "30"))


def aws_session_token() -> str:
    """Return the token that authenticates the function to the secrets extension."""
    return _setting("AWS_SESSION_TOKEN")


@cache
def game_provider_secrets() -> str:
    """Return the prefix of the names of the game providers' secrets."""
    return _setting("GAME_PROVIDER_SECRETS")


@cache
def default_game_provider() -> str:
    """Return the code of the game provider for calls without x-provider-code."""
    return _setting("DEFAULT_GAME_PROVIDER", "DEMO")


@cache
def stage() -> str:
    """Return the stage: local, staging or production."""
    return _setting("STAGE")


@cache
def default_tenant_id() -> UUID | None:
    """Return the tenant of calls without a token; None except on the local stack.

    Raises:
        Misconfigured: the setting is not an id.
    """
    text = _setting("DEFAULT_TENANT_ID", "")
    try:
        return UUID(text) if text else None
    except ValueError as error:
        raise Misconfigured(cause=f"The setting DEFAULT_TENANT_ID is {text!r}: give a tenant's id") from error


@cache
def token_issuer() -> str:
    """Return the issuer whose tokens are accepted."""
    return _setting("TOKEN_ISSUER")


@cache
def token_audience() -> str:
    """Return the audience that a token must name."""
    return _setting("TOKEN_AUDIENCE")


@cache
def token_keys_url() -> str:
    """Return the URL of the issuer's JSON Web Key Set; default: its address at Cognito."""
    return _setting("TOKEN_KEYS_URL", "") or f"{token_issuer()}/.well-known/jwks.json"


@cache
def schema_folder() -> str:
    """Return the folder of the numbered migrations."""
    return _setting("SCHEMA_FOLDER", "/opt/schema")


@cache
def egress_allowed_hosts() -> frozenset[str]:
    """Return the hosts, with or without a port, that may be called although their addresses are private."""
    return frozenset(_setting("EGRESS_ALLOWED_HOSTS", "").replace(",", " ").lower().split())


@cache
def kms_key_id() -> str:
    """Return the id, ARN or alias of the KMS key that encrypts the tenants' data keys."""
    return _setting("KMS_KEY_ID")


@cache
def callback_key_id() -> str:
    """Return the id, ARN or alias of the KMS key with which the callback of an authorization encrypts the code."""
    return _setting("CALLBACK_KEY_ID")


@cache
def ledger_audit_key() -> str:
    """Return the key with which the ledger's audit signs the heads of the chains.

    Raises:
        Misconfigured: the setting is missing.
    """
    key = os.environ.get("LEDGER_AUDIT_KEY")
    if not key:
        raise Misconfigured(
            cause="The setting LEDGER_AUDIT_KEY is missing: give the key of the secret <stack>/ledger-audit"
        )
    return key


@cache
def sync_queue_url() -> str:
    """Return the URL of the sync queue."""
    return _setting("SYNC_QUEUE_URL")


@cache
def audit_secret() -> str:
    """Return the name of the secret {"pepper": ...} that keys the audit log's fingerprints."""
    return _setting("AUDIT_SECRET")


def audit_secret_or_none() -> str | None:
    """Return the same setting; None in functions that handle no secrets."""
    return os.environ.get("AUDIT_SECRET")


@cache
def snapshot_functions() -> tuple[str, ...]:
    """Return the names of the functions whose versions have snapshots (SnapStart)."""
    return tuple(_setting("SNAPSHOT_FUNCTIONS").split(","))


@cache
def public_url() -> str:
    """Return the URL under which browsers reach this deployment; empty: the one that a call came to."""
    return _setting("PUBLIC_URL", "").rstrip("/")


@cache
def oauth_return_origins() -> frozenset[str]:
    """Return the sites, as https://host, to which a person may be sent back after an authorization."""
    return frozenset(_setting("OAUTH_RETURN_ORIGINS", "").replace(",", " ").lower().split())


@cache
def machine_requests() -> int:
    """Return how many requests a minute an API key may make that change something or call a platform."""
    return int(_setting("MACHINE_REQUESTS", "1200"))


@cache
def tenant_requests() -> int:
    """Return how many such requests a minute all API keys of a tenant may make together."""
    return int(_setting("TENANT_REQUESTS", "6000"))
