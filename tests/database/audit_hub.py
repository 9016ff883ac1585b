"""A hub for tests of the audit log: a migrated database, tenants, and database connections as functions have them."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg.rows import namedtuple_row

from causeway.audit_log import listing
from causeway.audit_log.entries import Action, Entry, record
from causeway.audit_log.listing import PAGES, AuditEntry
from causeway.audit_log.requests import AuditQuery
from causeway.audit_log.verifier import ChainTotals, verify
from causeway.database.postgres import Database
from tests.database.clones import Cluster

CREATED = Entry(
    action=Action.CONNECTION_CREATED,
    actor_kind="person",
    actor="subject-1",
    actor_role="tenant_admin",
    object_kind="connection",
    object_id="connection-1",
    before=None,
    after={"name": "Zoë's Twilio", "limit": 1.50, "tags": ["a", None, True], "auth_token": "hmac:0011223344556677"},
    source_ip="198.51.100.7",
    request_id="request-1",
)


@dataclass
class Hub:
    """A migrated database with two tenants, and database connections as the hub's functions have them."""

    urls: dict[str, str]
    superuser: psycopg.Connection[Any]
    databases: list[Database] = field(default_factory=list)

    def tenant(self) -> UUID:
        tenant_id = uuid4()
        self.superuser.execute(
            "INSERT INTO tenants (tenant_id, code, display_name) VALUES (%s, %s, 'A tenant')",
            [tenant_id, f"T{token_hex(8).upper()}"],
        )
        return tenant_id

    def database(self) -> Database:
        self.databases.append(Database(conninfo=self.urls["hub"]))
        return self.databases[-1]

    @contextmanager
    def as_tenant(self, login: str, tenant_id: UUID) -> Generator[psycopg.Connection[Any]]:
        """A login's transaction, rolled back at the end."""
        with psycopg.connect(self.urls[login], row_factory=namedtuple_row) as database:
            database.execute("SELECT set_config('causeway.tenant_id', %s::text, true)", [tenant_id])
            yield database
            database.rollback()

    def write(self, tenant_id: UUID, *written: Entry) -> list[int | None]:
        with self.database().transaction(tenant_id) as transaction:
            return [record(transaction, entry) for entry in written]

    def read(self, tenant_id: UUID, **query: object) -> list[AuditEntry]:
        """The entries of a page. query: of GET /audit, as Python values."""
        # Not parsed: the tests look for texts that no query can hold.
        only = AuditQuery.model_construct(set(query), **query)
        with self.database().transaction(tenant_id) as transaction:
            return listing.page(transaction, only, only.request(PAGES.listing, tenant_id)).entries

    def findings(self) -> list[str]:
        with psycopg.connect(self.urls["auditor"], autocommit=True) as database:
            return [str(finding) for finding in verify(database, ChainTotals())]

    def tamper(self, *statements: str, **parameters: object) -> None:
        """Change the log with full access: triggers and foreign keys are switched off."""
        with self.superuser.transaction():
            self.superuser.execute("SET LOCAL session_replication_role = replica")
            for statement in statements:
                # -1: the statement changes the schema and no row.
                assert self.superuser.execute(statement.encode(), parameters or None).rowcount != 0, statement

    def close(self) -> None:
        for database in self.databases:
            database.close()
        self.superuser.close()


@contextmanager
def opened_hub(cluster: Cluster) -> Generator[Hub]:
    """A hub in a clone of the template."""
    with cluster.clone() as urls:
        hub = Hub(urls, psycopg.connect(urls["superuser"], autocommit=True))
        try:
            yield hub
        finally:
            hub.close()
