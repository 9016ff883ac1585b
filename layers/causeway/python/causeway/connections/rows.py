"""The rows of connections, read in a transaction of their tenant. Their secrets are in causeway.vault.credentials."""

from collections.abc import Mapping
from typing import Any, LiteralString
from uuid import UUID

from causeway.catalogue import providers
from causeway.catalogue.providers import Provider
from causeway.connections.connection import Check, Circuit, ConnectionReference, ConnectionRow, ExternalReference
from causeway.database.postgres import Transaction
from causeway.errors.connections import ConnectionNotFound

# The fields of ConnectionRow, as `connection` takes them.
COLUMNS: LiteralString = """
    c.connection_id, c.provider_key, p.kind, c.name, c.description, c.environment, c.config, c.status,
    c.error_message, c.last_sync_at, c.version, c.created_by, c.created_at, c.updated_at, c.terms,
    c.error_code, c.status_changes, c.external_id, c.metadata, c.rate_limits, p.rate_limits AS template_rate_limits,
    CASE WHEN p.changed_by_admin THEN
        jsonb_build_array(p.base_urls -> c.environment, p.authentication, p.health_call, p.config_schema, p.oauth)
    END AS changed_template,
    (
        SELECT jsonb_build_array(h.status, h.code, h.checked_at, h.failures, h.successes) FROM integration_health AS h
        WHERE h.tenant_id = c.tenant_id AND h.connection_id = c.connection_id
    ) AS last_check,
    (
        SELECT jsonb_build_array(b.state, b.openings, extract(epoch FROM b.retry_at - now()), b.changed_at)
        FROM circuit_breakers AS b
        WHERE b.tenant_id = c.tenant_id AND b.connection_id = c.connection_id AND b.state <> 'closed'
    ) AS circuit
"""
_FROM: LiteralString = "FROM integration_connections AS c INNER JOIN integration_providers AS p USING (provider_key)"
SELECT: LiteralString = f"SELECT {COLUMNS} {_FROM}"


_BY_ID: LiteralString = """
    c.tenant_id = current_tenant() AND c.connection_id = %(wanted)s AND (%(deleted)s OR c.deleted_at IS NULL)
"""
# Deleted connections keep their external id, which another connection may have by now.
_BY_EXTERNAL_ID: LiteralString = """
    c.tenant_id = current_tenant() AND c.external_id = %(wanted)s AND c.deleted_at IS NULL
"""


def find(
    transaction: Transaction, reference: ConnectionReference, *, lock: bool = False, deleted: bool = False
) -> ConnectionRow:
    """Return a connection of the transaction's tenant.

    Args:
        transaction: of the tenant.
        reference: the connection.
        lock: lock the row until the transaction ends.
        deleted: return a deleted connection, too, if the reference is its id.

    Raises:
        ConnectionNotFound.
    """
    condition, parameters = _named(reference, deleted=deleted)
    end: LiteralString = "FOR NO KEY UPDATE OF c" if lock else ""
    row = transaction.execute(f"{SELECT} WHERE {condition} {end}", parameters).fetchone()
    if row is None:
        raise ConnectionNotFound
    return connection(row._asdict())


def connection(columns: Mapping[str, Any]) -> ConnectionRow:
    """Return a connection from its row's COLUMNS, by name."""
    check, circuit = columns["last_check"], columns["circuit"]
    read: dict[str, Any] = {
        "last_check": None if check is None else Check.of_json(check),
        "circuit": None if circuit is None else Circuit.of_json(circuit),
    }
    return ConnectionRow(**{**columns, **read})


def _named(reference: ConnectionReference, *, deleted: bool = False) -> tuple[LiteralString, dict[str, Any]]:
    """Return the condition of a statement that selects a connection, and its parameters."""
    external = isinstance(reference, ExternalReference)
    wanted = reference.external_id if external else reference
    return (_BY_EXTERNAL_ID if external else _BY_ID), {"wanted": wanted, "deleted": deleted}


def id_of(transaction: Transaction, reference: ConnectionReference) -> UUID:
    """Return a connection's id, of which only the tenant's own id is looked up; raises ConnectionNotFound."""
    return reference if isinstance(reference, UUID) else find(transaction, reference).connection_id


def find_with_provider(transaction: Transaction, reference: ConnectionReference) -> tuple[ConnectionRow, Provider]:
    """Return a connection of the transaction's tenant and its provider, read in one statement.

    Raises:
        ConnectionNotFound: there is none, or it is deleted.
    """
    condition, parameters = _named(reference)
    row = transaction.execute(f"SELECT {COLUMNS}, {providers.BESIDE} {_FROM} WHERE {condition}", parameters).fetchone()
    if row is None:
        raise ConnectionNotFound
    columns, provider = providers.split_row(row)
    return connection(columns), provider


def lock_version(
    transaction: Transaction, connection_id: UUID, version: int, *, wait: bool = True
) -> ConnectionRow | None:
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
    return None if row is None else connection(row._asdict())
