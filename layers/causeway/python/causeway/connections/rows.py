"""The connections' rows: found, listed, made, changed, taken away, in a transaction of their tenant.

Secrets are in causeway.credentials; here they have no place.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

import psycopg
from psycopg import errors as pg
from psycopg.types.json import Jsonb

from causeway import base64url, idempotency
from causeway.connections.requests import Change, Draft, Filter
from causeway.errors import ConnectionNotFound, IntegrationNotActive, NameTaken, VersionMismatch
from causeway.idempotency import Claim

Transaction = psycopg.Connection[Any]

# What Connection is made of.
_SELECT: LiteralString = """
    SELECT c.connection_id::text, c.provider_key, p.kind, c.name, c.description, c.environment, c.config, c.status,
        c.is_active, c.error_message, c.last_sync_at, c.version, c.created_by, c.created_at, c.updated_at, c.terms
    FROM integration_connections AS c
    INNER JOIN integration_providers AS p USING (provider_key)
"""


@dataclass(frozen=True, slots=True)
class Connection:
    """A tenant's connection to a provider, without its secrets."""

    connection_id: str
    provider_key: str
    kind: str
    name: str
    description: str
    environment: str
    config: dict[str, Any]
    status: str
    is_active: bool
    error_message: str | None
    last_sync_at: datetime | None
    version: int
    created_by: str
    created_at: datetime
    updated_at: datetime
    # Of its template, as agreed: where its secrets are sent, and what judges them.
    terms: bytes

    def as_json(self, *, with_config: bool) -> dict[str, Any]:
        """Return the connection in the API's names. with_config: staff are not shown the settings."""
        shown = {
            "id": self.connection_id,
            "templateId": self.provider_key,
            "kind": self.kind,
            "name": self.name,
            "description": self.description,
            "environment": self.environment,
            "status": self.status,
            "isActive": self.is_active,
            "errorMessage": self.error_message,
            "lastSyncAt": None if self.last_sync_at is None else self.last_sync_at.isoformat(),
            "createdAt": self.created_at.isoformat(),
            "updatedAt": self.updated_at.isoformat(),
        }
        return shown | ({"config": self.config} if with_config else {})


def find(transaction: Transaction, connection_id: UUID) -> Connection:
    """Return a connection of the transaction's tenant; raises ConnectionNotFound."""
    row = transaction.execute(
        f"""
        {_SELECT}
        WHERE c.tenant_id = current_tenant() AND c.connection_id = %s AND c.deleted_at IS NULL
        """,
        [connection_id],
    ).fetchone()
    if row is None:
        raise ConnectionNotFound
    return Connection(*row)


def page(transaction: Transaction, wanted: Filter) -> tuple[list[Connection], str | None]:
    """Return connections of the transaction's tenant, newest first, and the next page's cursor, None at the end."""
    after_at, after_id = wanted.after or (None, None)
    rows = transaction.execute(
        f"""
        {_SELECT}
        WHERE c.tenant_id = current_tenant() AND c.deleted_at IS NULL
            AND (%(kind)s::text IS NULL OR p.kind = %(kind)s)
            AND (%(status)s::text IS NULL OR c.status = %(status)s)
            AND (%(provider)s::text IS NULL OR c.provider_key = %(provider)s)
            AND (%(at)s::timestamptz IS NULL OR (c.created_at, c.connection_id) < (%(at)s, %(id)s::uuid))
        ORDER BY c.created_at DESC, c.connection_id DESC
        LIMIT %(limit)s + 1
        """,
        {
            "kind": wanted.kind,
            "status": wanted.status,
            "provider": wanted.provider,
            "at": after_at,
            "id": after_id,
            "limit": wanted.limit,
        },
    ).fetchall()
    found = [Connection(*row) for row in rows]
    if len(found) <= wanted.limit:
        return found, None
    last = found[wanted.limit - 1]
    text = f"{last.created_at.isoformat()} {last.connection_id}"
    return found[: wanted.limit], base64url.encode(text.encode())


def create(
    transaction: Transaction,
    connection_id: UUID,
    draft: Draft,
    settings: dict[str, Any],
    terms: bytes,
    subject: str,
    claim: Claim | None,
) -> tuple[UUID, bool]:
    """Make a connection, pending and without credentials, or find the one that this key made before.

    Args:
        identity: its id, where it is made.
        draft: as sent.
        settings: its config without the secrets.
        terms: its template's, as the tenant agrees to them by making it.
        subject: who makes it; an Idempotency-Key is his own.
        claim: the Idempotency-Key he sent, None where he sent none.

    Returns:
        The connection's id, and whether it was made just now.

    Raises:
        IdempotencyKeyReused: the key came before with another body.
        NameTaken: the tenant has a connection of this name.
    """
    if claim is not None:
        claimed = idempotency.claim(transaction, subject, claim, connection_id)
        if claimed != connection_id:
            return claimed, False
    try:
        transaction.execute(
            """
            INSERT INTO integration_connections (
                tenant_id, connection_id, provider_key, name, description, environment, config, terms, created_by
            ) VALUES (current_tenant(), %s, %s, %s, %s, %s, %s, %s, %s)
            """,
            [
                connection_id,
                draft.template_id,
                draft.name,
                draft.description,
                draft.environment,
                Jsonb(settings),
                terms,
                subject,
            ],
        )
    except pg.UniqueViolation as error:
        raise NameTaken from error
    return connection_id, True


def update(
    transaction: Transaction,
    connection_id: UUID,
    version: int,
    change: Change,
    settings: dict[str, Any] | None = None,
    terms: bytes | None = None,
) -> Connection:
    """Change a connection that is still the version its reader saw.

    Args:
        settings: all of the config that is no secret, as it shall be; None: as it is.
        terms: its template's, as agreed to; None: as they are.

    Raises:
        ConnectionNotFound, VersionMismatch, NameTaken.
    """
    try:
        changed = transaction.execute(
            """
            UPDATE integration_connections
            SET name = coalesce(%s, name), description = coalesce(%s, description), config = coalesce(%s, config),
                terms = coalesce(%s, terms), version = version + 1, updated_at = now()
            WHERE tenant_id = current_tenant() AND connection_id = %s AND version = %s AND deleted_at IS NULL
            """,
            [
                change.name,
                change.description,
                None if settings is None else Jsonb(settings),
                terms,
                connection_id,
                version,
            ],
        ).rowcount
    except pg.UniqueViolation as error:
        raise NameTaken from error
    found = find(transaction, connection_id)
    if not changed:
        raise VersionMismatch
    return found


def delete(transaction: Transaction, connection_id: UUID) -> None:
    """Take a connection away; its logs and its audit stay. Its credentials are the caller's to destroy.

    Raises:
        ConnectionNotFound: another was faster.
    """
    deleted = transaction.execute(
        """
        UPDATE integration_connections
        SET deleted_at = now(), status = 'disconnected', is_active = false, version = version + 1, updated_at = now()
        WHERE tenant_id = current_tenant() AND connection_id = %s AND deleted_at IS NULL
        """,
        [connection_id],
    ).rowcount
    if not deleted:
        raise ConnectionNotFound


def set_state(transaction: Transaction, connection_id: UUID, version: int, error: str | None) -> bool:
    """Set a connection's state by what a test found; a disabled connection stays disabled.

    Args:
        version: what was tested; a connection that was changed since is left alone.
        error: what is wrong and what to do about it, None where the test succeeded.

    Returns:
        Whether it was the version that was tested.
    """
    return (
        transaction.execute(
            """
            UPDATE integration_connections
            SET status = CASE
                    WHEN status = 'disconnected' THEN status WHEN %(error)s::text IS NULL THEN 'active' ELSE 'error'
                END,
                is_active = status <> 'disconnected' AND %(error)s::text IS NULL,
                error_message = %(error)s, updated_at = now()
            WHERE tenant_id = current_tenant() AND connection_id = %(id)s AND version = %(version)s
                AND deleted_at IS NULL
            """,
            {"error": error, "id": connection_id, "version": version},
        ).rowcount
        > 0
    )


def enable(transaction: Transaction, connection_id: UUID, version: int) -> Connection:
    """Let a disabled connection be used again, as a test of this version must show it may.

    Raises:
        ConnectionNotFound, VersionMismatch.
    """
    return _switched(transaction, connection_id, "pending", version)


def disable(transaction: Transaction, connection_id: UUID) -> Connection:
    """Stop a connection from being used until it is enabled; raises ConnectionNotFound."""
    return _switched(transaction, connection_id, "disconnected")


def _switched(transaction: Transaction, connection_id: UUID, status: str, version: int | None = None) -> Connection:
    switched = transaction.execute(
        """
        UPDATE integration_connections
        SET status = %s, is_active = false, version = version + 1, updated_at = now()
        WHERE tenant_id = current_tenant() AND connection_id = %s AND deleted_at IS NULL
            AND (%s::bigint IS NULL OR version = %s)
        """,
        [status, connection_id, version, version],
    ).rowcount
    found = find(transaction, connection_id)
    if not switched:
        raise VersionMismatch
    return found


def demand_active(connection: Connection) -> None:
    """Raise IntegrationNotActive where a connection may not be used."""
    if not connection.is_active:
        raise IntegrationNotActive
