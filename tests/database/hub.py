"""A tenant of the hub for tests of credentials, with its own database connection, and its operations."""

from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from causeway.database.postgres import Database
from causeway.vault import credentials, key_rotation, versions
from causeway.vault.crypto import CacheLimits, DataKeys
from causeway.vault.data_keys import StoredKeys
from tests.database.world import Casino

CANARY = "canary-7be20c-secret"
SECRETS = {"account_sid": "AC0", "auth_token": CANARY}


@contextmanager
def hubs(urls: dict[str, str], kms_key_id: str) -> Generator[Callable[[], "Hub"]]:
    """Make tenants in the database at these URLs; this KMS key wraps their data keys."""
    with ExitStack() as made:

        def make() -> Hub:
            casino = Casino(urls)
            made.callback(casino.close)
            database = casino.database("credentials")
            return Hub(casino, database, DataKeys(StoredKeys(database), kms_key_id), kms_key_id, uuid4())

        yield make


@dataclass
class Hub:
    """A tenant of the hub, its database connection, and one connection to a provider."""

    casino: Casino
    database: Database
    keys: DataKeys
    kms_key_id: str
    connection_id: UUID

    @property
    def tenant_id(self) -> UUID:
        return self.casino.tenant_id

    def elsewhere(self, limits: CacheLimits | None = None) -> "Hub":
        """The same tenant in another execution environment, which has no cached key yet."""
        database = self.casino.database("credentials")
        keys = DataKeys(StoredKeys(database), self.kms_key_id, limits)
        return Hub(self.casino, database, keys, self.kms_key_id, self.connection_id)

    def connect(self, connection_id: UUID) -> UUID:
        """Create a connection with this id if there is none."""
        self.casino.query(
            """
            INSERT INTO integration_connections (tenant_id, connection_id, provider_key, name, created_by)
            VALUES (%s, %s, 'twilio', %s, 'test') ON CONFLICT DO NOTHING
            """,
            [self.tenant_id, connection_id, str(connection_id)],
        )
        return connection_id

    def store(self, secrets: dict[str, str] | None = None, connection_id: UUID | None = None) -> int:
        """Store a candidate and return its version."""
        place = self.connect(connection_id or self.connection_id)
        encrypted = credentials.encrypt(self.keys, self.tenant_id, place, SECRETS if secrets is None else secrets)
        with self.database.transaction(self.tenant_id) as transaction:
            return credentials.store(transaction, encrypted)

    def change(self, change: Callable[..., Any], *arguments: Any) -> Any:
        """Run promote, retiring, roll_back, retire, expire or destroy in a transaction."""
        with self.database.transaction(self.tenant_id) as transaction:
            return change(transaction, self.connection_id, *arguments)

    def use(self, secrets: dict[str, str] | None = None) -> int:
        """Store a credential and activate it."""
        version = self.store(secrets)
        self.change(versions.promote, version)
        return version

    def aged(self, **time: float) -> None:
        """Move the last change of each of the connection's versions into the past: aged(hours=25)."""
        self.casino.query(
            """
            UPDATE api_credential_versions SET changed_at = changed_at - %s
            WHERE tenant_id = %s AND connection_id = %s
            """,
            [timedelta(**time), self.tenant_id, self.connection_id],
        )

    def read(self, version: int | None = None) -> credentials.Secrets:
        self.connect(self.connection_id)
        with self.database.transaction(self.tenant_id) as transaction:
            found = credentials.find(transaction, self.connection_id, version)
        return credentials.decrypt(self.keys, found)

    def rotate_data_key(self) -> int:
        """Give the tenant a new data key and return its version."""
        return self.keys.rotate(self.tenant_id).version

    def rewrap(self, batch: int = 100) -> list[key_rotation.Batch]:
        """Re-encrypt all batches."""
        batches = [key_rotation.rewrap(self.database, self.keys, self.tenant_id, None, batch)]
        while batches[-1].after:
            batches.append(key_rotation.rewrap(self.database, self.keys, self.tenant_id, batches[-1].after, batch))
        return batches

    def key_versions(self) -> dict[int, int]:
        """The number of the tenant's secret fields per version of its data key."""
        rows = self.casino.query(
            """
            SELECT key_version, count(*) AS fields FROM api_credentials WHERE tenant_id = %s
            GROUP BY key_version ORDER BY key_version
            """,
            [self.tenant_id],
        )
        return {row.key_version: row.fields for row in rows}

    @property
    def statuses(self) -> list[str]:
        """The statuses of the connection's versions, oldest first."""
        rows = self.casino.query(
            "SELECT status FROM api_credential_versions WHERE tenant_id = %s AND connection_id = %s ORDER BY version",
            [self.tenant_id, self.connection_id],
        )
        return [row.status for row in rows]

    @property
    def data_keys(self) -> list[str]:
        """The statuses of the tenant's data keys, oldest first."""
        rows = self.casino.query(
            "SELECT status FROM tenant_data_keys WHERE tenant_id = %s ORDER BY version", [self.tenant_id]
        )
        return [row.status for row in rows]
