"""Credentials of connections: sealed, versioned, rotated beside the one in use, destroyed.

KMS is asked before or after a transaction, never inside one: seal_all and unsealed take none. Everything else joins the
caller's transaction, which has set the tenant.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self
from uuid import UUID

import psycopg

from causeway.errors.vault import CredentialMissing, NothingToRollBack
from causeway.vault.crypto import DataKeys, Place, seal

# For so long a rotation can be rolled back.
OVERLAP = timedelta(hours=24)
# For so long a credential that is no longer used keeps its ciphertexts.
KEPT = timedelta(days=30)


class Secrets(dict[str, str]):
    """Secret fields by name; its repr has the names alone. version: of the stored credential, None: not stored yet."""

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
class Sealed:
    """A connection's secrets as they are stored: ciphertexts by field."""

    tenant_id: UUID
    connection_id: UUID
    fields: dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored version, not opened yet.

    Attributes:
        version: None where the connection has no such version.
        connection_version: of the connection, in the same snapshot: for which of its settings the secrets are.
    """

    version: int | None
    connection_version: int
    ciphertexts: dict[Place, bytes]

    @property
    def fields(self) -> set[str]:
        """The names of the secret fields."""
        return {place.field for place in self.ciphertexts}


@dataclass(frozen=True, slots=True)
class Retiring:
    """The version that can be put back into use, and until when."""

    version: int
    until: datetime


@dataclass(frozen=True, slots=True)
class Expired:
    """Versions whose time was over: those retired, and those whose ciphertexts were destroyed."""

    retired: list[int]
    destroyed: list[int]


def seal_all(keys: DataKeys, tenant_id: UUID, connection_id: UUID, secrets: Mapping[str, str]) -> Sealed:
    """Seal secrets for a connection, to be stored in a transaction that follows.

    Args:
        keys: the data keys of all tenants.
        tenant_id: the connection's tenant.
        connection_id: the connection.
        secrets: its secret fields by name.

    Raises:
        KeyServiceUnavailable: KMS is needed and does not answer.
    """
    key = keys.newest(tenant_id)
    fields = {name: seal(key, Place(tenant_id, connection_id, name), secret) for name, secret in secrets.items()}
    return Sealed(tenant_id, connection_id, fields)


def store(transaction: psycopg.Connection[Any], sealed: Sealed) -> int:
    """Store sealed secrets as a candidate beside the credential in use, and return the candidate's version."""
    version = None
    while version is None:
        # Two at once take the same number: the second waits, gets nothing, and sees the first's.
        row = transaction.execute(
            """
            INSERT INTO api_credential_versions (tenant_id, connection_id, version)
            SELECT %(tenant)s, %(connection)s, coalesce(max(version), 0) + 1 FROM api_credential_versions
            WHERE tenant_id = %(tenant)s AND connection_id = %(connection)s
            ON CONFLICT DO NOTHING RETURNING version
            """,
            {"tenant": sealed.tenant_id, "connection": sealed.connection_id},
        ).fetchone()
        version = row and row.version
    transaction.execute(
        """
        INSERT INTO api_credentials (tenant_id, connection_id, version, field, ciphertext)
        SELECT %s, %s, %s, s.field, s.ciphertext FROM unnest(%s::text[], %s::bytea[]) AS s (field, ciphertext)
        """,
        [sealed.tenant_id, sealed.connection_id, version, list(sealed.fields), list(sealed.fields.values())],
    )
    return version


def store_first(transaction: psycopg.Connection[Any], sealed: Sealed) -> int:
    """Store a new connection's secrets as the credential in use, in one statement, and return its version, 1."""
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
            "tenant": sealed.tenant_id,
            "connection": sealed.connection_id,
            "fields": list(sealed.fields),
            "ciphertexts": list(sealed.fields.values()),
        },
    )
    return 1


def promote(transaction: psycopg.Connection[Any], connection_id: UUID, version: int) -> None:
    """Put a candidate into use; the credential used until now is retiring, and the one before it retired.

    Raises:
        CredentialMissing: the version is no candidate.
    """
    if _locked(transaction, connection_id).get(version) != "candidate":
        raise CredentialMissing
    _move(transaction, connection_id, "retiring", "retired")
    _move(transaction, connection_id, "active", "retiring")
    _move(transaction, connection_id, "candidate", "active", version)


def retiring(transaction: psycopg.Connection[Any], connection_id: UUID) -> Retiring | None:
    """Return the version a rotation can be rolled back to; None where there is none, or its time is over."""
    row = transaction.execute(
        """
        SELECT version, changed_at + %(overlap)s AS until FROM api_credential_versions
        WHERE tenant_id = current_tenant() AND connection_id = %(connection)s AND status = 'retiring'
            AND changed_at > now() - %(overlap)s
        """,
        {"connection": connection_id, "overlap": OVERLAP},
    ).fetchone()
    return row and Retiring(*row)


def roll_back(transaction: psycopg.Connection[Any], connection_id: UUID, version: int) -> None:
    """Put a retiring version back into use; the one in use is retired.

    Raises:
        NothingToRollBack: that version is not retiring, or its time is over.
    """
    _locked(transaction, connection_id)
    back = retiring(transaction, connection_id)
    if back is None or back.version != version:
        raise NothingToRollBack
    _move(transaction, connection_id, "active", "retired")
    if not _move(transaction, connection_id, "retiring", "active"):
        raise NothingToRollBack


def retire(transaction: psycopg.Connection[Any], connection_id: UUID) -> bool:
    """End the overlap now: the retiring credential is retired. Tell whether there was one."""
    return _move(transaction, connection_id, "retiring", "retired")


def destroy(transaction: psycopg.Connection[Any], connection_id: UUID) -> list[int]:
    """Delete every ciphertext of a connection and return the versions that had any; that they were is kept."""
    _locked(transaction, connection_id)
    transaction.execute(
        "DELETE FROM api_credentials WHERE tenant_id = current_tenant() AND connection_id = %s", [connection_id]
    )
    rows = transaction.execute(
        """
        UPDATE api_credential_versions SET status = 'destroyed'
        WHERE tenant_id = current_tenant() AND connection_id = %s AND status <> 'destroyed'
        RETURNING version
        """,
        [connection_id],
    )
    return sorted(row.version for row in rows)


def expire(transaction: psycopg.Connection[Any], connection_id: UUID) -> Expired:
    """Retire a version that has been retiring for OVERLAP, and destroy ciphertexts retired for KEPT."""
    _locked(transaction, connection_id)
    whose = {"connection": connection_id, "overlap": OVERLAP, "kept": KEPT}
    retired = transaction.execute(
        """
        UPDATE api_credential_versions SET status = 'retired'
        WHERE tenant_id = current_tenant() AND connection_id = %(connection)s AND status = 'retiring'
            AND changed_at <= now() - %(overlap)s
        RETURNING version
        """,
        whose,
    ).fetchall()
    # A version is called destroyed once its ciphertexts are gone.
    transaction.execute(
        """
        DELETE FROM api_credentials AS c USING api_credential_versions AS v
        WHERE v.tenant_id = current_tenant() AND v.connection_id = %(connection)s AND v.status = 'retired'
            AND v.changed_at <= now() - %(kept)s
            AND (c.tenant_id, c.connection_id, c.version) = (v.tenant_id, v.connection_id, v.version)
        """,
        whose,
    )
    destroyed = transaction.execute(
        """
        UPDATE api_credential_versions SET status = 'destroyed'
        WHERE tenant_id = current_tenant() AND connection_id = %(connection)s AND status = 'retired'
            AND changed_at <= now() - %(kept)s
        RETURNING version
        """,
        whose,
    ).fetchall()
    return Expired(sorted(row.version for row in retired), sorted(row.version for row in destroyed))


def stored(transaction: psycopg.Connection[Any], connection_id: UUID, version: int | None = None) -> Stored:
    """Return a version's ciphertexts and the connection's version, read in one snapshot; nothing is decrypted.

    Args:
        transaction: of a login that may read credentials.
        connection_id: the connection.
        version: of its credential; by default the one in use.

    Raises:
        CredentialMissing: there is no such connection.
    """
    rows = transaction.execute(
        """
        SELECT n.tenant_id, n.version AS connection_version, v.version, c.field, c.ciphertext
        FROM integration_connections AS n
        LEFT JOIN api_credential_versions AS v
            ON v.tenant_id = n.tenant_id AND v.connection_id = n.connection_id AND v.holds_secrets
                AND (v.version = %(version)s OR %(version)s::bigint IS NULL AND v.status = 'active')
        LEFT JOIN api_credentials AS c
            ON c.tenant_id = v.tenant_id AND c.connection_id = v.connection_id AND c.version = v.version
        WHERE n.tenant_id = current_tenant() AND n.connection_id = %(connection)s
        ORDER BY c.field
        """,
        {"connection": connection_id, "version": version},
    ).fetchall()
    if not rows:
        raise CredentialMissing
    # A credential without a secret field is one row without a field.
    ciphertexts = {
        Place(row.tenant_id, connection_id, row.field): row.ciphertext for row in rows if row.field is not None
    }
    return Stored(rows[0].version, rows[0].connection_version, ciphertexts)


def unsealed(keys: DataKeys, found: Stored) -> Secrets:
    """Return a stored version's secrets in plain; call it outside a transaction, as it may ask KMS.

    Raises:
        CredentialMissing: the connection has no such version, or none in use.
        CredentialUnreadable: a ciphertext was moved or changed; an alert has been raised.
        KeyServiceUnavailable: KMS is needed and does not answer.
    """
    if found.version is None:
        raise CredentialMissing
    opened = {place.field: keys.open(place, text) for place, text in found.ciphertexts.items()}
    return Secrets.of(opened, found.version)


def _locked(transaction: psycopg.Connection[Any], connection_id: UUID) -> dict[int, str]:
    """Wait for whoever else changes the connection's versions; return their statuses, then ours to change."""
    rows = transaction.execute(
        """
        SELECT version, status FROM api_credential_versions
        WHERE tenant_id = current_tenant() AND connection_id = %s ORDER BY version FOR UPDATE
        """,
        [connection_id],
    )
    return {row.version: row.status for row in rows}


def _move(
    transaction: psycopg.Connection[Any], connection_id: UUID, before: str, status: str, version: int | None = None
) -> bool:
    moved = transaction.execute(
        """
        UPDATE api_credential_versions SET status = %(status)s
        WHERE tenant_id = current_tenant() AND connection_id = %(connection)s AND status = %(before)s
            AND (version = %(version)s OR %(version)s::bigint IS NULL)
        """,
        {"connection": connection_id, "before": before, "status": status, "version": version},
    )
    return moved.rowcount > 0
