"""The data key of the deployment, for secrets that belong to no tenant: the secrets of its own OAuth apps."""

from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from uuid import UUID

from causeway import settings
from causeway.audit_log.entries import DEPLOYMENT
from causeway.database import postgres
from causeway.database.postgres import Database, Transaction
from causeway.errors.vault import CredentialUnreadable
from causeway.vault.crypto import DataKeys, SecretField, WrappedKey, call_kms


def encryption_context(**more: str) -> Mapping[str, str]:
    """Return KMS's encryption context, which names the deployment. more: what else a ciphertext is bound to."""
    return {"deployment": settings.stage(), **more}


@cache
def current() -> DataKeys:
    """Return the execution environment's data keys of the deployment; its tenant is the nil UUID."""
    keys = StoredKeys(postgres.current())
    return DataKeys(keys, settings.kms_key_id(), encryption_context=lambda _: encryption_context())


def secret_field(name: str) -> SecretField:
    """Return a secret of the deployment: the associated data of its ciphertext. name: of the secret."""
    return SecretField(DEPLOYMENT, DEPLOYMENT, name)


def encrypt_directly(text: str, bound_to: UUID) -> bytes:
    """Return KMS's own ciphertext of a short text: the caller needs the right to encrypt alone, and no data key.

    Args:
        text: 4096 bytes at most.
        bound_to: the row that it belongs to: it decrypts for no other.

    Raises:
        KeyServiceUnavailable: KMS does not answer.
    """
    about = {"KeyId": settings.callback_key_id(), "Plaintext": text.encode()}
    return call_kms("encrypt", DEPLOYMENT, encryption_context(row=str(bound_to)), **about)["CiphertextBlob"]


def decrypt_directly(ciphertext: bytes, bound_to: UUID) -> str:
    """Return the text of encrypt_directly.

    Raises:
        CredentialUnreadable: it belongs to another row, or was changed; an alert has been raised.
        KeyServiceUnavailable: KMS does not answer.
    """
    context = encryption_context(row=str(bound_to))
    return call_kms("decrypt", DEPLOYMENT, context, CiphertextBlob=ciphertext)["Plaintext"].decode()


def is_due(transaction: Transaction, age: timedelta) -> bool:
    """Return whether the active key is older than this. transaction: of the deployment."""
    found = transaction.execute(
        "SELECT FROM deployment_data_keys WHERE status = 'active' AND created_at < now() - %s::interval", [age]
    )
    return found.rowcount > 0


def active_version(transaction: Transaction) -> int | None:
    """Return the number of the active key; None: there is no key yet. transaction: of the deployment."""
    found = _find(transaction, None)
    return None if found is None else found.version


class StoredKeys:
    """The table deployment_data_keys, as a crypto.KeyStore of one owner."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, tenant_id: UUID, version: int | None = None) -> WrappedKey | None:
        """Return the wrapped key of that version, by default the active one; None if there is no such key."""
        with self._database.transaction(tenant_id) as transaction:
            return _find(transaction, version)

    def activate(self, tenant_id: UUID, replaces: int, wrapped: bytes, kms_key_id: str) -> WrappedKey:
        """Store a new key as the active one, as crypto.KeyStore says.

        Raises:
            CredentialUnreadable: there are keys, and none is active.
        """
        with self._database.transaction(tenant_id) as transaction:
            transaction.execute(
                "UPDATE deployment_data_keys SET status = 'retired' WHERE version = %s AND status = 'active'",
                [replaces],
            )
            transaction.execute(
                """
                INSERT INTO deployment_data_keys (version, wrapped, kms_key_id) VALUES (%s, %s, %s)
                ON CONFLICT DO NOTHING
                """,
                [replaces + 1, wrapped, kms_key_id],
            )
            active = _find(transaction, None)
        if active is None:
            raise CredentialUnreadable(cause="The deployment has data keys, but no active one")
        return active


def _find(transaction: Transaction, version: int | None) -> WrappedKey | None:
    row = transaction.execute(
        """
        SELECT version, wrapped, kms_key_id FROM deployment_data_keys
        WHERE version = %(version)s OR %(version)s::bigint IS NULL AND status = 'active'
        """,
        {"version": version},
    ).fetchone()
    return row and WrappedKey(**row._asdict())
