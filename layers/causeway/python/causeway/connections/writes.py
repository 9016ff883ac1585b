"""The changes of connections' rows, in a transaction of their tenant."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, LiteralString
from uuid import UUID

from psycopg import errors as pg
from psycopg.types.json import Jsonb

from causeway.connections.connection import ConnectionRow
from causeway.connections.rows import COLUMNS, SELECT, connection, find
from causeway.database.postgres import Transaction
from causeway.errors.connections import ExternalIdTaken
from causeway.errors.requests import NameTaken, VersionMismatch

if TYPE_CHECKING:
    # Jobs load this module: keep pydantic out of their start-up.
    from causeway.connections.requests import ConnectionChange, ConnectionDraft

_INSERT: LiteralString = """
    INSERT INTO integration_connections (
        tenant_id, connection_id, provider_key, name, description, environment, external_id, metadata, config, terms,
        created_by
    )
"""
# UPDATE ... SET ... FROM ... RETURNING: change a connection, and return it as it is then.
_UPDATE: LiteralString = "UPDATE integration_connections AS c"
_ONE: LiteralString = """
    FROM integration_providers AS p
    WHERE p.provider_key = c.provider_key AND c.tenant_id = current_tenant() AND c.connection_id = %(id)s
        AND c.deleted_at IS NULL
"""
_RETURNING: LiteralString = f"RETURNING {COLUMNS}"


def create(
    transaction: Transaction,
    connection_id: UUID,
    draft: "ConnectionDraft",
    settings: dict[str, Any],
    terms: bytes,
    subject: str,
) -> ConnectionRow:
    """Insert a connection with the status pending and without credentials.

    Args:
        transaction: of its tenant.
        connection_id: its id.
        draft: as sent.
        settings: its config without the secrets.
        terms: of its template; by creating the connection, the tenant agrees to them.
        subject: the person or key that creates it.

    Raises:
        NameTaken, ExternalIdTaken: the tenant has a connection of this name, or with this external id.
    """
    try:
        [row] = transaction.execute(
            f"""
            WITH integration_connections AS (
                {_INSERT}
                VALUES (
                    current_tenant(), %(id)s, %(template)s, %(name)s, %(description)s, %(environment)s,
                    %(external_id)s, %(metadata)s, %(config)s, %(terms)s, %(subject)s
                )
                RETURNING *
            )
            {SELECT}
            """,
            {
                "id": connection_id,
                "template": draft.template_id,
                "name": draft.name,
                "description": draft.description,
                "environment": draft.environment,
                "external_id": draft.external_id,
                "metadata": Jsonb(draft.metadata),
                "config": Jsonb(settings),
                "terms": terms,
                "subject": subject,
            },
        ).fetchall()
    except pg.UniqueViolation as error:
        raise _taken(error) from error
    return connection(row._asdict())


def update(
    transaction: Transaction,
    connection_id: UUID,
    version: int,
    change: "ConnectionChange",
    settings: dict[str, Any] | None = None,
    terms: bytes | None = None,
) -> ConnectionRow:
    """Change a connection that still has this version.

    Args:
        transaction: of its tenant.
        connection_id: the connection.
        version: the version that the change was made from.
        change: name, description, environment, external id and metadata; a field that was not sent stays.
        settings: the new config without the secrets; None leaves it unchanged.
        terms: of its template, which the tenant agrees to now; None leaves them unchanged.

    Raises:
        ConnectionNotFound, VersionMismatch, NameTaken, ExternalIdTaken.
    """
    try:
        row = transaction.execute(
            f"""
            {_UPDATE}
            SET name = coalesce(%(name)s, c.name), description = coalesce(%(description)s, c.description),
                environment = coalesce(%(environment)s, c.environment),
                external_id = CASE WHEN %(sets_external_id)s THEN %(external_id)s ELSE c.external_id END,
                metadata = coalesce(%(metadata)s, c.metadata),
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
                "environment": change.environment,
                "sets_external_id": "external_id" in change.model_fields_set,
                "external_id": change.external_id,
                "metadata": None if change.metadata is None else Jsonb(change.metadata),
                "config": None if settings is None else Jsonb(settings),
                "terms": terms,
            },
        ).fetchone()
    except pg.UniqueViolation as error:
        raise _taken(error) from error
    return _changed(transaction, connection_id, row)


def _taken(error: pg.UniqueViolation) -> Exception:
    """Return the error of the unique index that a row violates; the database's own error for any other index."""
    taken = {
        "integration_connections_name": NameTaken,
        "integration_connections_external_id": ExternalIdTaken,
    }.get(error.diag.constraint_name or "")
    return error if taken is None else taken()


def set_limits(transaction: Transaction, connection_id: UUID, version: int, limits: Mapping[str, int]) -> ConnectionRow:
    """Replace the limits that the tenant's admin set for a connection that still has this version.

    Raises:
        ConnectionNotFound, VersionMismatch.
    """
    row = transaction.execute(
        f"""
        {_UPDATE}
        SET rate_limits = %(limits)s, version = c.version + 1, updated_at = now()
        {_ONE} AND c.version = %(version)s
        {_RETURNING}
        """,
        {"id": connection_id, "version": version, "limits": Jsonb(dict(limits))},
    ).fetchone()
    return _changed(transaction, connection_id, row)


def delete(transaction: Transaction, connection_id: UUID, version: int) -> None:
    """Mark a connection as deleted; its logs and its audit stay. The caller must destroy its credentials.

    Raises:
        ConnectionNotFound: it has been deleted already.
        VersionMismatch: it was changed since this version.
    """
    row = transaction.execute(
        f"""
        {_UPDATE}
        SET deleted_at = now(), status = 'disconnected', version = c.version + 1, updated_at = now()
        {_ONE} AND c.version = %(version)s
        {_RETURNING}
        """,
        {"id": connection_id, "version": version},
    ).fetchone()
    _changed(transaction, connection_id, row)


def set_status(
    transaction: Transaction, connection: ConnectionRow, status: str, error_code: str | None, error_message: str | None
) -> ConnectionRow:
    """Set the status of a connection that the transaction has locked. Its version stays: it counts people's changes.

    Args:
        transaction: of its tenant.
        connection: as it is now.
        status: the new status.
        error_code: what is wrong; None: nothing.
        error_message: the same for people, with what to do about it.
    """
    row = transaction.execute(
        f"""
        {_UPDATE}
        SET status = %(status)s, error_code = %(code)s, error_message = %(message)s,
            status_changes = c.status_changes + 1, updated_at = now()
        {_ONE}
        {_RETURNING}
        """,
        {"id": connection.connection_id, "status": status, "code": error_code, "message": error_message},
    ).fetchone()
    return _changed(transaction, connection.connection_id, row)


def enable(transaction: Transaction, connection_id: UUID, version: int) -> ConnectionRow:
    """Set a disabled connection to pending: a test of this version decides whether it can be used.

    Raises:
        ConnectionNotFound, VersionMismatch.
    """
    return _switch(transaction, connection_id, "pending", version)


def disable(transaction: Transaction, connection_id: UUID, version: int) -> ConnectionRow:
    """Stop all uses of a connection until it is enabled; raises ConnectionNotFound, VersionMismatch."""
    return _switch(transaction, connection_id, "disconnected", version)


def _switch(transaction: Transaction, connection_id: UUID, status: str, version: int) -> ConnectionRow:
    row = transaction.execute(
        f"""
        {_UPDATE}
        SET status = %(status)s, error_code = NULL, error_message = NULL, version = c.version + 1,
            updated_at = now()
        {_ONE} AND c.version = %(version)s
        {_RETURNING}
        """,
        {"id": connection_id, "status": status, "version": version},
    ).fetchone()
    return _changed(transaction, connection_id, row)


def _changed(transaction: Transaction, connection_id: UUID, row: Any) -> ConnectionRow:
    """Return the connection of the row that a change returned.

    Raises:
        ConnectionNotFound, VersionMismatch: there is no row: the connection is deleted, or has another version.
    """
    if row is not None:
        return connection(row._asdict())
    raise VersionMismatch(current=find(transaction, connection_id).version)
