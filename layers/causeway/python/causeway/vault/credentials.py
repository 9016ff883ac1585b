"""Credentials of connections: encrypted, stored, found and decrypted. Their versions' life is in vault.versions.

Call encrypt and decrypt outside a transaction, as they may call KMS. The other functions run in the caller's
transaction, which has set the tenant.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self
from uuid import UUID

from causeway.database.postgres import Transaction
from causeway.errors.vault import CredentialMissing
from causeway.vault import crypto
from causeway.vault.crypto import ActiveKeys, DataKeys, SecretField
from causeway.vault.oauth_tokens import StoredToken


class Secrets(dict[str, str]):
    """Secret fields by name; its repr shows the names only.

    Attributes:
        version: of the stored credential, None: not stored yet.
    """

    version: int | None = None

    @classmethod
    def of(cls, fields: Mapping[str, str], version: int) -> Self:
        """Return the fields as those of a stored version."""
        secrets = cls(fields)
        secrets.version = version
        return secrets

    def __repr__(self) -> str:
        return f"Secrets({', '.join(self)})"


@dataclass(frozen=True, slots=True)
class EncryptedSecrets:
    """A connection's secrets before they are stored: ciphertexts by field name."""

    tenant_id: UUID
    connection_id: UUID
    fields: dict[str, bytes]


@dataclass(frozen=True, slots=True)
class StoredCredential:
    """A stored version of a connection's credential, not decrypted.

    Attributes:
        version: None if the connection has no such version.
        connection_version: of the connection, read in the same snapshot: the settings that the secrets belong to.
        token: the access token that was got with it, read in the same snapshot.
    """

    version: int | None
    connection_version: int
    ciphertexts: dict[SecretField, bytes]
    token: StoredToken = field(default_factory=StoredToken)

    @property
    def fields(self) -> set[str]:
        """The names of the secret fields."""
        return {secret.name for secret in self.ciphertexts}


def encrypt(keys: ActiveKeys, tenant_id: UUID, connection_id: UUID, secrets: Mapping[str, str]) -> EncryptedSecrets:
    """Encrypt secrets for a connection; they are stored in a later transaction.

    Args:
        keys: gives the tenant's active key.
        tenant_id: the connection's tenant.
        connection_id: the connection.
        secrets: its secret fields by name.

    Raises:
        KeyServiceUnavailable: KMS is needed and does not answer.
    """
    key = keys.active(tenant_id)
    fields = {
        name: crypto.encrypt(key, SecretField(tenant_id, connection_id, name), secret)
        for name, secret in secrets.items()
    }
    return EncryptedSecrets(tenant_id, connection_id, fields)


def store(transaction: Transaction, encrypted: EncryptedSecrets) -> int:
    """Store secrets as a candidate beside the active version, and return the candidate's version."""
    version = None
    while version is None:
        # Two calls at once choose the same number: the second waits, inserts nothing, and tries again.
        row = transaction.execute(
            """
            INSERT INTO api_credential_versions (tenant_id, connection_id, version)
            SELECT %(tenant)s, %(connection)s, coalesce(max(version), 0) + 1 FROM api_credential_versions
            WHERE tenant_id = %(tenant)s AND connection_id = %(connection)s
            ON CONFLICT DO NOTHING RETURNING version
            """,
            {"tenant": encrypted.tenant_id, "connection": encrypted.connection_id},
        ).fetchone()
        version = row and row.version
    transaction.execute(
        """
        INSERT INTO api_credentials (tenant_id, connection_id, version, field, ciphertext)
        SELECT %s, %s, %s, s.field, s.ciphertext FROM unnest(%s::text[], %s::bytea[]) AS s (field, ciphertext)
        """,
        [
            encrypted.tenant_id,
            encrypted.connection_id,
            version,
            list(encrypted.fields),
            list(encrypted.fields.values()),
        ],
    )
    return version


def store_first(transaction: Transaction, encrypted: EncryptedSecrets) -> int:
    """Store a new connection's secrets as the active version, in one statement, and return its version, 1."""
    transaction.execute(
        """
        WITH made AS (
            INSERT INTO api_credential_versions (tenant_id, connection_id, version, status)
            VALUES (%(tenant)s, %(connection)s, 1, 'active')
        )
        INSERT INTO api_credentials (tenant_id, connection_id, version, field, ciphertext)
        SELECT %(tenant)s, %(connection)s, 1, s.field, s.ciphertext
        FROM unnest(%(fields)s::text[], %(ciphertexts)s::bytea[]) AS s (field, ciphertext)
        """,
        {
            "tenant": encrypted.tenant_id,
            "connection": encrypted.connection_id,
            "fields": list(encrypted.fields),
            "ciphertexts": list(encrypted.fields.values()),
        },
    )
    return 1


def find(transaction: Transaction, connection_id: UUID, version: int | None = None) -> StoredCredential:
    """Return a version's ciphertexts, its token and the connection's version, in one snapshot; nothing is decrypted.

    Args:
        transaction: of a login that may read credentials.
        connection_id: the connection.
        version: of its credential; by default the active one.

    Raises:
        CredentialMissing: there is no such connection.
    """
    rows = transaction.execute(
        """
        SELECT n.tenant_id, n.version AS connection_version, v.version, c.field, c.ciphertext,
            t.ciphertext AS token, t.terms AS token_terms, t.grants, t.by_shared_app, t.failed_status, t.refusal,
            t.leased_until > now() AS token_leased,
            extract(epoch FROM t.waits_until - now())::float AS token_waits,
            extract(epoch FROM t.expires_at - now())::float AS token_ends,
            extract(epoch FROM t.expires_at - t.obtained_at)::float AS token_life
        FROM integration_connections AS n
        LEFT JOIN api_credential_versions AS v
            ON v.tenant_id = n.tenant_id AND v.connection_id = n.connection_id AND v.holds_secrets
                AND (v.version = %(version)s OR %(version)s::bigint IS NULL AND v.status = 'active')
        LEFT JOIN api_credentials AS c
            ON c.tenant_id = v.tenant_id AND c.connection_id = v.connection_id AND c.version = v.version
        LEFT JOIN oauth_tokens AS t
            ON t.tenant_id = v.tenant_id AND t.connection_id = v.connection_id AND t.credential_version = v.version
        WHERE n.tenant_id = current_tenant() AND n.connection_id = %(connection)s
        ORDER BY c.field
        """,
        {"connection": connection_id, "version": version},
    ).fetchall()
    if not rows:
        raise CredentialMissing
    # A credential without secret fields is one row whose field is NULL.
    ciphertexts = {
        SecretField(row.tenant_id, connection_id, row.field): row.ciphertext for row in rows if row.field is not None
    }
    return StoredCredential(rows[0].version, rows[0].connection_version, ciphertexts, StoredToken.of(rows[0]))


def decrypt(keys: DataKeys, stored: StoredCredential) -> Secrets:
    """Return a stored version's secrets in plain.

    Raises:
        CredentialMissing: the connection has no such version, or no active one.
        CredentialUnreadable: a ciphertext was moved or changed; an alert has been raised.
        KeyServiceUnavailable: KMS is needed and does not answer.
    """
    if stored.version is None:
        raise CredentialMissing
    secrets = {secret.name: keys.decrypt(secret, ciphertext) for secret, ciphertext in stored.ciphertexts.items()}
    return Secrets.of(secrets, stored.version)
