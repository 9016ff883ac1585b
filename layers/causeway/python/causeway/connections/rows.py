"""The rows of connections, read in a transaction of their tenant. Their secrets are in causeway.vault.credentials."""

from dataclasses import replace
from typing import LiteralString
from uuid import UUID

from causeway.connections.connection import Connection
from causeway.connections.requests import ConnectionFilter
from causeway.database.paging import PagedSelect
from causeway.database.postgres import Transaction
from causeway.errors.connections import ConnectionNotFound
from causeway.wire.pages import Key, Page, PageRequest

# The fields of Connection, in their order.
COLUMNS: LiteralString = """
    c.connection_id, c.provider_key, p.kind, c.name, c.description, c.environment, c.config, c.status,
    c.error_message, c.last_sync_at, c.version, c.created_by, c.created_at, c.updated_at, c.terms,
    c.error_code, c.status_changes,
    CASE WHEN p.changed_by_admin THEN
        jsonb_build_array(p.base_urls -> c.environment, p.authentication, p.health_call, p.config_schema)
    END AS changed_template,
    (
        SELECT jsonb_build_array(h.status, h.code, h.checked_at) FROM integration_health AS h
        WHERE h.tenant_id = c.tenant_id AND h.connection_id = c.connection_id
    ) AS last_check
"""
_FROM: LiteralString = "FROM integration_connections AS c INNER JOIN integration_providers AS p USING (provider_key)"
SELECT: LiteralString = f"SELECT {COLUMNS} {_FROM}"
# Every row that may be shown with the filter's status: the database does not know which templates moved.
_FILTER: LiteralString = """
    c.tenant_id = current_tenant() AND c.deleted_at IS NULL
    AND (%(kind)s::text IS NULL OR p.kind = %(kind)s)
    AND (
        %(status)s::text IS NULL OR c.status = %(status)s
        OR (%(status)s = 'error' AND c.status = 'active' AND p.changed_by_admin)
    )
    AND (%(provider)s::text IS NULL OR c.provider_key = %(provider)s)
"""
PAGES = PagedSelect(SELECT, _FILTER, ("c.created_at", "c.connection_id"), descending=True)


def find(transaction: Transaction, connection_id: UUID, *, lock: bool = False, deleted: bool = False) -> Connection:
    """Return a connection of the transaction's tenant.

    Args:
        transaction: of the tenant.
        connection_id: the connection.
        lock: lock the row until the transaction ends.
        deleted: return a deleted connection, too.

    Raises:
        ConnectionNotFound.
    """
    end: LiteralString = "FOR NO KEY UPDATE OF c" if lock else ""
    row = transaction.execute(
        f"""
        {SELECT}
        WHERE c.tenant_id = current_tenant() AND c.connection_id = %s AND (%s OR c.deleted_at IS NULL)
        {end}
        """,
        [connection_id, deleted],
    ).fetchone()
    if row is None:
        raise ConnectionNotFound
    return Connection(*row)


def lock_version(
    transaction: Transaction, connection_id: UUID, version: int, *, wait: bool = True
) -> Connection | None:
    """Lock and return a connection; None if it no longer has this version.

    Args:
        transaction: of the connection's tenant.
        connection_id: the connection.
        version: the version that was used.
        wait: if another transaction has locked the row, wait for it; otherwise return None.
    """
    locked: LiteralString = "" if wait else "SKIP LOCKED"
    row = transaction.execute(
        f"""
        {SELECT}
        WHERE c.tenant_id = current_tenant() AND c.connection_id = %s AND c.version = %s AND c.deleted_at IS NULL
        FOR NO KEY UPDATE OF c {locked}
        """,
        [connection_id, version],
    ).fetchone()
    return None if row is None else Connection(*row)


def page(transaction: Transaction, wanted: ConnectionFilter) -> Page[Connection]:
    """Return a page of the connections of the transaction's tenant, newest first."""
    shown: list[Connection] = []
    asked = wanted.page
    while True:
        found = _found(transaction, wanted, asked)
        # The database does not know which active connections are shown as an error: there may be too few yet.
        shown += [one for one in found if wanted.status in (None, one.shown_status)]
        if len(shown) > wanted.page.rows or len(found) <= wanted.page.rows:
            return wanted.page.page(shown, _sort_key, lambda one: one.as_json(with_config=True))
        asked = replace(asked, key=_sort_key(found[-1]))


def _sort_key(connection: Connection) -> Key:
    return connection.created_at, connection.connection_id


def _found(transaction: Transaction, wanted: ConnectionFilter, asked: PageRequest) -> list[Connection]:
    """Return the connections beside the key, one more than a page holds."""
    parameters = {"kind": wanted.kind, "status": wanted.status, "provider": wanted.provider}
    return [Connection(*row) for row in PAGES.fetch(transaction, asked, parameters)]
