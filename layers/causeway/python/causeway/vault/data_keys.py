"""The tenants' data keys: the table of what KMS wrapped, and the execution environment's cache of what it opened."""

from functools import cache
from typing import Any
from uuid import UUID

import psycopg

from causeway import settings
from causeway.database import postgres
from causeway.database.postgres import Database
from causeway.errors.vault import CredentialUnreadable
from causeway.vault.crypto import DataKeys, WrappedKey


@cache
def current() -> DataKeys:
    """Return the execution environment's data keys."""
    return DataKeys(StoredKeys(postgres.current()), settings.kms_key_id())


class StoredKeys:
    """The table of wrapped data keys, as a crypto.KeyStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def wrapped(self, tenant_id: UUID, version: int | None = None) -> WrappedKey | None:
        """Return a tenant's wrapped key of that version, or its active one; None where there is none."""
        with self._database.transaction(tenant_id) as transaction:
            return _wrapped(transaction, tenant_id, version)

    def keep(self, tenant_id: UUID, after: int, wrapped: bytes, kms_key_id: str) -> WrappedKey:
        """Make a key the tenant's active one, unless `after` (0: none) no longer is; return the one that is."""
        with self._database.transaction(tenant_id) as transaction:
            transaction.execute(
                """
                UPDATE tenant_data_keys SET status = 'retired'
                WHERE tenant_id = %s AND version = %s AND status = 'active'
                """,
                [tenant_id, after],
            )
            # Where another came first, the number is taken: a second first use, or rotation, waits for it here.
            transaction.execute(
                """
                INSERT INTO tenant_data_keys (tenant_id, version, wrapped, kms_key_id) VALUES (%s, %s, %s, %s)
                ON CONFLICT DO NOTHING
                """,
                [tenant_id, after + 1, wrapped, kms_key_id],
            )
            active = _wrapped(transaction, tenant_id, None)
        if active is None:
            raise CredentialUnreadable(cause=f"Tenant {tenant_id} has data keys and none that is active")
        return active


def _wrapped(transaction: psycopg.Connection[Any], tenant_id: UUID, version: int | None) -> WrappedKey | None:
    row = transaction.execute(
        """
        SELECT version, wrapped, kms_key_id FROM tenant_data_keys
        WHERE tenant_id = %(tenant)s
            AND (version = %(version)s OR %(version)s::bigint IS NULL AND status = 'active')
        """,
        {"tenant": tenant_id, "version": version},
    ).fetchone()
    return row and WrappedKey(*row)
