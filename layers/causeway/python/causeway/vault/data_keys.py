"""The table of wrapped data keys, and the execution environment's cache of unwrapped ones."""

from functools import cache
from uuid import UUID

from causeway import settings
from causeway.database import postgres
from causeway.database.postgres import Database, Transaction
from causeway.errors.vault import CredentialUnreadable
from causeway.vault.crypto import DataKeys, WrappedKey


@cache
def current() -> DataKeys:
    """Return the execution environment's data keys."""
    return DataKeys(StoredKeys(postgres.current()), settings.kms_key_id())


class StoredKeys:
    """The table tenant_data_keys, as a crypto.KeyStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, tenant_id: UUID, version: int | None = None) -> WrappedKey | None:
        """Return a tenant's wrapped key of that version, by default its active one; None if there is no such key."""
        with self._database.transaction(tenant_id) as transaction:
            return _find(transaction, tenant_id, version)

    def activate(self, tenant_id: UUID, replaces: int, wrapped: bytes, kms_key_id: str) -> WrappedKey:
        """Store a new key as the tenant's active one, as crypto.KeyStore says.

        Raises:
            CredentialUnreadable: the tenant has keys, and none is active.
        """
        with self._database.transaction(tenant_id) as transaction:
            transaction.execute(
                """
                UPDATE tenant_data_keys SET status = 'retired'
                WHERE tenant_id = %s AND version = %s AND status = 'active'
                """,
                [tenant_id, replaces],
            )
            # A concurrent first use or rotation waits here for the first one, then finds the version taken.
            transaction.execute(
                """
                INSERT INTO tenant_data_keys (tenant_id, version, wrapped, kms_key_id) VALUES (%s, %s, %s, %s)
                ON CONFLICT DO NOTHING
                """,
                [tenant_id, replaces + 1, wrapped, kms_key_id],
            )
            active = _find(transaction, tenant_id, None)
        if active is None:
            raise CredentialUnreadable(cause=f"Tenant {tenant_id} has data keys, but no active one")
        return active


def _find(transaction: Transaction, tenant_id: UUID, version: int | None) -> WrappedKey | None:
    row = transaction.execute(
        """
        SELECT version, wrapped, kms_key_id FROM tenant_data_keys
        WHERE tenant_id = %(tenant)s
            AND (version = %(version)s OR %(version)s::bigint IS NULL AND status = 'active')
        """,
        {"tenant": tenant_id, "version": version},
    ).fetchone()
    return row and WrappedKey(**row._asdict())
