"""The deployment's own OAuth apps, one per platform at most: ids, and secrets under the deployment's data key."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from causeway.audit_log.entries import DEPLOYMENT
from causeway.database.postgres import Database, Transaction
from causeway.errors.requests import VersionMismatch
from causeway.vault import crypto, deployment_key
from causeway.vault.crypto import DataKeys


@dataclass(frozen=True, slots=True)
class OAuthApp:
    """The deployment's app at a platform, its secret decrypted."""

    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class OAuthAppRow:
    """The deployment's app at a platform, without its secret.

    Attributes:
        version: counts changes: the ETag.
    """

    provider_key: str
    client_id: str
    version: int
    updated_by: str
    updated_at: datetime


def encrypt(provider_key: str, client_secret: str) -> bytes:
    """Return an app's secret encrypted for its platform; raises KeyServiceUnavailable."""
    keys = deployment_key.current()
    return crypto.encrypt(keys.active(DEPLOYMENT), _secret(provider_key), client_secret)


def _secret(provider_key: str) -> crypto.SecretField:
    return deployment_key.secret_field(f"oauth_apps.{provider_key}")


def find_row(transaction: Transaction, provider_key: str) -> OAuthAppRow | None:
    """Return the app of a platform without its secret; None if the deployment has none.

    Args:
        transaction: of the deployment; a tenant's sees no app.
        provider_key: the platform's.
    """
    row = transaction.execute(
        "SELECT provider_key, client_id, version, updated_by, updated_at FROM oauth_apps WHERE provider_key = %s",
        [provider_key],
    ).fetchone()
    return row and OAuthAppRow(**row._asdict())


def find_client_id(database: Database, provider_key: str) -> str | None:
    """Return the id of the deployment's app; None if it has none. Nothing is decrypted."""
    row = _find(database, provider_key)
    return None if row is None else row.client_id


def find(database: Database, provider_key: str) -> OAuthApp | None:
    """Return the deployment's app at a platform; None if it has none.

    Args:
        database: of a login that may read credentials. The app is read in a transaction of the deployment.
        provider_key: the platform's.

    Raises:
        CredentialUnreadable: the secret was moved or changed.
        KeyServiceUnavailable: KMS is needed and does not answer.
    """
    row = _find(database, provider_key)
    if row is None:
        return None
    return OAuthApp(row.client_id, deployment_key.current().decrypt(_secret(provider_key), row.client_secret))


def _find(database: Database, provider_key: str) -> Any:
    with database.transaction(DEPLOYMENT) as transaction:
        return transaction.execute(
            "SELECT client_id, client_secret FROM oauth_apps WHERE provider_key = %s", [provider_key]
        ).fetchone()


@dataclass(frozen=True, slots=True)
class OldSecret:
    """An app's secret under an older data key than the active one; version: of the app."""

    provider_key: str
    version: int
    client_secret: bytes = field(repr=False)


def find_old(transaction: Transaction, key_version: int) -> list[OldSecret]:
    """Return the secrets that are not under a data key of the deployment. transaction: of the deployment."""
    rows = transaction.execute(
        """
        SELECT provider_key, version, client_secret FROM oauth_apps WHERE key_version <> %s ORDER BY provider_key
        """,
        [key_version],
    ).fetchall()
    return [OldSecret(**row._asdict()) for row in rows]


def rewrapped(keys: DataKeys, old: OldSecret) -> bytes:
    """Return a secret decrypted and encrypted again under the active data key.

    Raises:
        CredentialUnreadable: the secret was moved or changed; an alert has been raised.
        KeyServiceUnavailable: KMS is needed and does not answer.
    """
    secret = _secret(old.provider_key)
    return crypto.encrypt(keys.active(DEPLOYMENT), secret, keys.decrypt(secret, old.client_secret))


def replace_secret(transaction: Transaction, old: OldSecret, rewrapped: bytes) -> bool:
    """Replace a ciphertext by the one of rewrapped; return whether it was: not if the app was changed since."""
    row = transaction.execute(
        "SELECT oauth_app_rewrapped_v1(%s, %s, %s) AS replaced", [old.provider_key, old.version, rewrapped]
    ).fetchone()
    return row is not None and row.replaced


def save(
    transaction: Transaction, provider_key: str, client_id: str, client_secret: bytes, before: int | None, by: str
) -> OAuthAppRow:
    """Store the deployment's app at a platform, in place of the one before.

    Args:
        transaction: of the deployment, by a super admin; the database refuses any other.
        provider_key: the platform's.
        client_id: the app's id.
        client_secret: as encrypt returns it.
        before: the version that it replaces; None: there is none.
        by: the super admin's subject.

    Raises:
        VersionMismatch: it was changed since.
    """
    row = transaction.execute(
        """
        INSERT INTO oauth_apps AS a (provider_key, client_id, client_secret, updated_by)
        VALUES (%(key)s, %(client_id)s, %(secret)s, %(by)s)
        ON CONFLICT (provider_key) DO UPDATE
        SET client_id = excluded.client_id, client_secret = excluded.client_secret, version = a.version + 1,
            updated_by = excluded.updated_by, updated_at = now()
        WHERE a.version = %(before)s
        RETURNING provider_key, client_id, version, updated_by, updated_at
        """,
        {"key": provider_key, "client_id": client_id, "secret": client_secret, "before": before, "by": by},
    ).fetchone()
    if row is None:
        raise VersionMismatch
    return OAuthAppRow(**row._asdict())
