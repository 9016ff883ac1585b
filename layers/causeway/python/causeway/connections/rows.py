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

from causeway import base64url
from causeway.connections.requests import Change, Draft, Filter
from causeway.errors import ConnectionNotFound, IntegrationNotActive, NameTaken, VersionMismatch

Transaction = psycopg.Connection[Any]

# What Connection is made of.
_COLUMNS: LiteralString = """
    c.connection_id::text, c.provider_key, p.kind, c.name, c.description, c.environment, c.config, c.status,
    c.is_active, c.error_message, c.last_sync_at, c.version, c.created_by, c.created_at, c.updated_at, c.terms
"""
_FROM: LiteralString = "FROM integration_connections AS c INNER JOIN integration_providers AS p USING (provider_key)"
_SELECT: LiteralString = f"SELECT {_COLUMNS} {_FROM}"
# A change of one connection, and what it has become.
_UPDATE: LiteralString = "UPDATE integration_connections AS c"
_ONE: LiteralString = """
    FROM integration_providers AS p
    WHERE p.provider_key = c.provider_key AND c.tenant_id = current_tenant() AND c.connection_id = %(id)s
        AND c.deleted_at IS NULL
"""
_INSERT: LiteralString = """
    INSERT INTO integration_connections (
        tenant_id, connection_id, provider_key, name, description, environment, config, terms, created_by
    )
"""
_RETURNING: LiteralString = f"RETURNING {_COLUMNS}"


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
            "version": self.version,
        }
        return shown | ({"config": self.config} if with_config else {})


def find(transaction: Transaction, connection_id: UUID, *, lock: bool = False) -> Connection:
    """Return a connection of the transaction's tenant.

    Args:
        lock: lock its row, so that nobody else changes it before the transaction ends.

    Raises:
        ConnectionNotFound.
    """
    end: LiteralString = "FOR NO KEY UPDATE OF c" if lock else ""
    row = transaction.execute(
        f"""
        {_SELECT}
        WHERE c.tenant_id = current_tenant() AND c.connection_id = %s AND c.deleted_at IS NULL
        {end}
        """,
        [connection_id],
    ).fetchone()
    if row is None:
        raise ConnectionNotFound
    return Connection(*row)


def find_or_none(transaction: Transaction, connection_id: UUID) -> Connection | None:
    """Return a connection of the transaction's tenant, None where there is none."""
    try:
        return find(transaction, connection_id)
    except ConnectionNotFound:
        return None


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
) -> Connection:
    """Make a connection, pending and without credentials.

    Args:
        transaction: of its tenant.
        connection_id: its id.
        draft: as sent.
        settings: its config without the secrets.
        terms: its template's, as the tenant agrees to them by making it.
        subject: who makes it.

    Raises:
        NameTaken: the tenant has a connection of this name.
    """
    try:
        [row] = transaction.execute(
            f"""
            WITH integration_connections AS (
                {_INSERT} VALUES (current_tenant(), %s, %s, %s, %s, %s, %s, %s, %s) RETURNING *
            )
            {_SELECT}
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
        ).fetchall()
    except pg.UniqueViolation as error:
        raise NameTaken from error
    return Connection(*row)


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
        row = transaction.execute(
            f"""
            {_UPDATE}
            SET name = coalesce(%(name)s, c.name), description = coalesce(%(description)s, c.description),
                config = coalesce(%(config)s, c.config), terms = coalesce(%(terms)s, c.terms),
                version = c.version + 1, updated_at = now()
            {_ONE} AND c.version = %(version)s
            {_RETURNING}
            """,
            {
                "id": connection_id,
                "version": version,
                "name": change.name,
                "description": change.description,
                "config": None if settings is None else Jsonb(settings),
                "terms": terms,
            },
        ).fetchone()
    except pg.UniqueViolation as error:
        raise NameTaken from error
    return _of_version(transaction, connection_id, row)


def delete(transaction: Transaction, connection_id: UUID, version: int) -> None:
    """Take a connection away; its logs and its audit stay. Its credentials are the caller's to destroy.

    Raises:
        ConnectionNotFound: another was faster.
        VersionMismatch: it was changed since it was read.
    """
    row = transaction.execute(
        f"""
        {_UPDATE}
        SET deleted_at = now(), status = 'disconnected', is_active = false, version = c.version + 1, updated_at = now()
        {_ONE} AND c.version = %(version)s
        {_RETURNING}
        """,
        {"id": connection_id, "version": version},
    ).fetchone()
    _of_version(transaction, connection_id, row)


def set_state(transaction: Transaction, connection_id: UUID, version: int, error: str | None) -> Connection | None:
    """Set a connection's state by what a test found; a disabled connection stays disabled.

    Args:
        version: what was tested; a connection that was changed since is left alone.
        error: what is wrong and what to do about it, None where the test succeeded.

    Returns:
        The connection as it is now; None where it is no longer the version that was tested.
    """
    row = transaction.execute(
        f"""
        {_UPDATE}
        SET status = CASE
                WHEN c.status = 'disconnected' THEN c.status WHEN %(error)s::text IS NULL THEN 'active' ELSE 'error'
            END,
            is_active = c.status <> 'disconnected' AND %(error)s::text IS NULL,
            error_message = %(error)s, updated_at = now()
        {_ONE} AND c.version = %(version)s
        {_RETURNING}
        """,
        {"error": error, "id": connection_id, "version": version},
    ).fetchone()
    return None if row is None else Connection(*row)


def enable(transaction: Transaction, connection_id: UUID, version: int) -> Connection:
    """Let a disabled connection be used again, as a test of this version must show it may.

    Raises:
        ConnectionNotFound, VersionMismatch.
    """
    return _switched(transaction, connection_id, "pending", version)


def disable(transaction: Transaction, connection_id: UUID, version: int) -> Connection:
    """Stop a connection from being used until it is enabled; raises ConnectionNotFound, VersionMismatch."""
    return _switched(transaction, connection_id, "disconnected", version)


def _switched(transaction: Transaction, connection_id: UUID, status: str, version: int) -> Connection:
    row = transaction.execute(
        f"""
        {_UPDATE}
        SET status = %(status)s, is_active = false, version = c.version + 1, updated_at = now()
        {_ONE} AND c.version = %(version)s
        {_RETURNING}
        """,
        {"id": connection_id, "status": status, "version": version},
    ).fetchone()
    return _of_version(transaction, connection_id, row)


def _of_version(transaction: Transaction, connection_id: UUID, row: Any) -> Connection:
    """Return the connection of a row that a change returned; raises for no row: it is gone, or another version."""
    if row is not None:
        return Connection(*row)
    raise VersionMismatch(current=find(transaction, connection_id).version)


def demand_active(connection: Connection) -> None:
    """Raise IntegrationNotActive where a connection may not be used."""
    if not connection.is_active:
        raise IntegrationNotActive
