"""The versions of a connection's credential: candidate, active, retiring, retired, destroyed.

Each function runs in the caller's transaction, which has set the tenant.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from causeway.database.postgres import Transaction
from causeway.errors.vault import CredentialMissing, NothingToRollBack

# A rotation can be rolled back for so long: the replaced version is retiring.
OVERLAP = timedelta(hours=24)
# A retired version keeps its ciphertexts for so long.
RETENTION = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class RollbackTarget:
    """The retiring version, which a rollback makes active again, and until when."""

    version: int
    until: datetime


@dataclass(frozen=True, slots=True)
class Expired:
    """The versions that expire retired, and those whose ciphertexts it destroyed."""

    retired: list[int]
    destroyed: list[int]


def promote(transaction: Transaction, connection_id: UUID, version: int) -> None:
    """Make a candidate the active version. The active version becomes retiring, a retiring one retired.

    Raises:
        CredentialMissing: the version is not a candidate.
    """
    if _lock(transaction, connection_id).get(version) != "candidate":
        raise CredentialMissing
    _change_status(transaction, connection_id, "retiring", "retired")
    _change_status(transaction, connection_id, "active", "retiring")
    _change_status(transaction, connection_id, "candidate", "active", version)


def rollback_target(transaction: Transaction, connection_id: UUID) -> RollbackTarget | None:
    """Return the version that a rollback would make active; None if there is none, or its overlap is over."""
    row = transaction.execute(
        """
        SELECT version, changed_at + %(overlap)s AS until FROM api_credential_versions
        WHERE tenant_id = current_tenant() AND connection_id = %(connection)s AND status = 'retiring'
            AND changed_at > now() - %(overlap)s
        """,
        {"connection": connection_id, "overlap": OVERLAP},
    ).fetchone()
    return row and RollbackTarget(**row._asdict())


def roll_back(transaction: Transaction, connection_id: UUID, version: int) -> None:
    """Make the retiring version active again; the active one is retired.

    Raises:
        NothingToRollBack: that version is not retiring, or its overlap is over.
    """
    _lock(transaction, connection_id)
    target = rollback_target(transaction, connection_id)
    if target is None or target.version != version:
        raise NothingToRollBack
    _change_status(transaction, connection_id, "active", "retired")
    if not _change_status(transaction, connection_id, "retiring", "active"):
        raise NothingToRollBack


def retire(transaction: Transaction, connection_id: UUID) -> bool:
    """Retire the retiring version before its overlap is over; return whether there was one."""
    return _change_status(transaction, connection_id, "retiring", "retired")


def destroy(transaction: Transaction, connection_id: UUID) -> list[int]:
    """Delete every ciphertext of a connection. The versions stay, as destroyed; return those that are so now."""
    _lock(transaction, connection_id)
    transaction.execute(
        """
        WITH tokens AS (DELETE FROM oauth_tokens WHERE tenant_id = current_tenant() AND connection_id = %(connection)s)
        DELETE FROM api_credentials WHERE tenant_id = current_tenant() AND connection_id = %(connection)s
        """,
        {"connection": connection_id},
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


def due(transaction: Transaction) -> list[Any]:
    """Return tenant_id and connection_id of all tenants' connections for which expire has something to do."""
    return transaction.execute(
        "SELECT tenant_id, connection_id FROM credentials_due_v1(p_overlap => %(overlap)s, p_kept => %(kept)s)",
        {"overlap": OVERLAP, "kept": RETENTION},
    ).fetchall()


def expire(transaction: Transaction, connection_id: UUID) -> Expired:
    """Retire a version that has been retiring for OVERLAP, and destroy ciphertexts that were retired for RETENTION."""
    _lock(transaction, connection_id)
    parameters = {"connection": connection_id, "overlap": OVERLAP, "retention": RETENTION}
    retired = transaction.execute(
        """
        UPDATE api_credential_versions SET status = 'retired'
        WHERE tenant_id = current_tenant() AND connection_id = %(connection)s AND status = 'retiring'
            AND changed_at <= now() - %(overlap)s
        RETURNING version
        """,
        parameters,
    ).fetchall()
    # First the ciphertexts: a foreign key lets a version become destroyed only without them.
    transaction.execute(
        """
        WITH tokens AS (
            DELETE FROM oauth_tokens AS t USING api_credential_versions AS v
            WHERE v.tenant_id = current_tenant() AND v.connection_id = %(connection)s AND v.status = 'retired'
                AND v.changed_at <= now() - %(retention)s
                AND (t.tenant_id, t.connection_id, t.credential_version) = (v.tenant_id, v.connection_id, v.version)
        )
        DELETE FROM api_credentials AS c USING api_credential_versions AS v
        WHERE v.tenant_id = current_tenant() AND v.connection_id = %(connection)s AND v.status = 'retired'
            AND v.changed_at <= now() - %(retention)s
            AND (c.tenant_id, c.connection_id, c.version) = (v.tenant_id, v.connection_id, v.version)
        """,
        parameters,
    )
    destroyed = transaction.execute(
        """
        UPDATE api_credential_versions SET status = 'destroyed'
        WHERE tenant_id = current_tenant() AND connection_id = %(connection)s AND status = 'retired'
            AND changed_at <= now() - %(retention)s
        RETURNING version
        """,
        parameters,
    ).fetchall()
    return Expired(sorted(row.version for row in retired), sorted(row.version for row in destroyed))


def _lock(transaction: Transaction, connection_id: UUID) -> dict[int, str]:
    """Lock the connection's versions until the transaction ends, and return their statuses."""
    rows = transaction.execute(
        """
        SELECT version, status FROM api_credential_versions
        WHERE tenant_id = current_tenant() AND connection_id = %s ORDER BY version FOR UPDATE
        """,
        [connection_id],
    )
    return {row.version: row.status for row in rows}


def _change_status(
    transaction: Transaction, connection_id: UUID, before: str, status: str, version: int | None = None
) -> bool:
    """Change the status of the version that has the status before; return whether there was one."""
    changed = transaction.execute(
        """
        UPDATE api_credential_versions SET status = %(status)s
        WHERE tenant_id = current_tenant() AND connection_id = %(connection)s AND status = %(before)s
            AND (version = %(version)s OR %(version)s::bigint IS NULL)
        """,
        {"connection": connection_id, "before": before, "status": status, "version": version},
    )
    return changed.rowcount > 0
