"""The connections' rows: found, listed, made, changed, taken away, in a transaction of their tenant.

Secrets are in causeway.vault.credentials; here they have no place.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

import psycopg
from psycopg import errors as pg
from psycopg.types.json import Jsonb

from causeway.catalogue import provider_terms
from causeway.connections.requests import Change, Draft, Filter
from causeway.errors.connections import ConnectionNotFound, IntegrationNotActive, TemplateMoved
from causeway.errors.requests import NameTaken, VersionMismatch
from causeway.errors.tree import CausewayError
from causeway.errors.vault import CredentialMissing, CredentialUnreadable
from causeway.wire.pages import Key, Page

Transaction = psycopg.Connection[Any]

# Codes of what is wrong with a stored credential, as a use found it; giving it anew mends it.
_UNOPENED = {error.code: error for error in (CredentialUnreadable, CredentialMissing)}

# What Connection is made of.
_COLUMNS: LiteralString = """
    c.connection_id::text, c.provider_key, p.kind, c.name, c.description, c.environment, c.config, c.status,
    c.error_message, c.last_sync_at, c.version, c.created_by, c.created_at, c.updated_at, c.terms,
    c.error_code, c.states,
    CASE WHEN p.changed_by_admin THEN
        jsonb_build_array(p.base_urls -> c.environment, p.authentication, p.health_call, p.config_schema)
    END AS changed_template
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
    error_message: str | None
    last_sync_at: datetime | None
    version: int
    created_by: str
    created_at: datetime
    updated_at: datetime
    # Of its template, as agreed: where its secrets are sent, and what judges them.
    terms: bytes
    # Of the error that error_message tells; None where there is none.
    error_code: str | None = None
    # How often its state was set: what a test that began before must not undo.
    states: int = 0
    # What the template says now of secrets (as provider_terms.digest takes it), where a super admin changed it.
    changed_template: list[Any] | None = None

    @property
    def moved(self) -> bool:
        """Whether a super admin changed the template since the connection's admin agreed to it.

        Everything that asks whether secrets may go where the template says asks here.
        """
        return self.changed_template is not None and provider_terms.digest(*self.changed_template) != self.terms

    @property
    def _template_moved(self) -> TemplateMoved:
        """What is told of a template that moved; where its environment was taken away, that."""
        base_url, _, health_call, _ = self.changed_template or [None, {}, {}, None]
        if base_url or health_call.get("configured_url"):
            return TemplateMoved()
        return TemplateMoved(
            f"The template no longer has the environment {self.environment}, which this connection was made for",
            action="Look at the template's base URLs; send PATCH with an environment that has one, and with a config "
            "that gives every secret again.",
        )

    def demand_agreed(self) -> None:
        """Raise TemplateMoved where secrets may not go where the template says."""
        if self.moved:
            raise self._template_moved

    @property
    def stopped_by(self) -> CausewayError | None:
        """The error that a use would end with now, whatever the platform says; None: it may be used."""
        if self.status == "disconnected":
            return IntegrationNotActive("The connection is disabled")
        if self.moved:
            return self._template_moved
        if self.error_code in _UNOPENED:
            return _UNOPENED[self.error_code]()
        if self.status == "active":
            return None
        return IntegrationNotActive(self.error_message or "The connection has not been tested yet")

    @property
    def shown_status(self) -> str:
        """Its status; error instead of active where a use would fail all the same."""
        return "error" if self.status == "active" and self.moved else self.status

    @property
    def shown_error(self) -> str | None:
        """What is wrong and what to do about it."""
        if self.moved and self.status != "disconnected":
            return f"{self._template_moved.sentence}. {self._template_moved.action}"
        return self.error_message

    def as_json(self, *, with_config: bool) -> dict[str, Any]:
        """Return the connection in the API's names. with_config: staff are not shown the settings."""
        shown = {
            "id": self.connection_id,
            "templateId": self.provider_key,
            "kind": self.kind,
            "name": self.name,
            "description": self.description,
            "environment": self.environment,
            "status": self.shown_status,
            "isActive": self.stopped_by is None,
            "errorMessage": self.shown_error,
            "lastSyncAt": None if self.last_sync_at is None else self.last_sync_at.isoformat(),
            "createdAt": self.created_at.isoformat(),
            "updatedAt": self.updated_at.isoformat(),
            "version": self.version,
        }
        return shown | ({"config": self.config} if with_config else {})


def find(transaction: Transaction, connection_id: UUID, *, lock: bool = False, deleted: bool = False) -> Connection:
    """Return a connection of the transaction's tenant.

    Args:
        deleted: one that was deleted too.
        lock: lock its row, so that nobody else changes it before the transaction ends.

    Raises:
        ConnectionNotFound.
    """
    end: LiteralString = "FOR NO KEY UPDATE OF c" if lock else ""
    row = transaction.execute(
        f"""
        {_SELECT}
        WHERE c.tenant_id = current_tenant() AND c.connection_id = %s AND (%s OR c.deleted_at IS NULL)
        {end}
        """,
        [connection_id, deleted],
    ).fetchone()
    if row is None:
        raise ConnectionNotFound
    return Connection(*row)


def page(transaction: Transaction, wanted: Filter) -> Page[Connection]:
    """Return a page of the connections of the transaction's tenant, newest first."""
    shown: list[Connection] = []
    after = wanted.page.after
    while True:
        found = _after(transaction, wanted, after)
        # Only here is it known whether an active connection is shown as an error, so there may be too few yet.
        shown += [one for one in found if wanted.status in (None, one.shown_status)]
        if len(shown) > wanted.page.limit or len(found) <= wanted.page.limit:
            return wanted.page.page(shown, _sort_key)
        after = _sort_key(found[-1])


def _sort_key(connection: Connection) -> Key:
    return connection.created_at, connection.connection_id


def _after(transaction: Transaction, wanted: Filter, after: Key | None) -> list[Connection]:
    """Return one connection more than a page holds, among them all that may be shown with the status wanted."""
    after_at, after_id = after or (None, None)
    rows = transaction.execute(
        f"""
        {_SELECT}
        WHERE c.tenant_id = current_tenant() AND c.deleted_at IS NULL
            AND (%(kind)s::text IS NULL OR p.kind = %(kind)s)
            AND (
                %(status)s::text IS NULL OR c.status = %(status)s
                OR (%(status)s = 'error' AND c.status = 'active' AND p.changed_by_admin)
            )
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
            "limit": wanted.page.limit,
        },
    )
    return [Connection(*row) for row in rows]


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
        if error.diag.constraint_name != "integration_connections_name":
            raise
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
                environment = coalesce(%(environment)s, c.environment),
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
                "config": None if settings is None else Jsonb(settings),
                "terms": terms,
            },
        ).fetchone()
    except pg.UniqueViolation as error:
        raise NameTaken from error
    return _returned(transaction, connection_id, row)


def delete(transaction: Transaction, connection_id: UUID, version: int) -> None:
    """Take a connection away; its logs and its audit stay. Its credentials are the caller's to destroy.

    Raises:
        ConnectionNotFound: another was faster.
        VersionMismatch: it was changed since it was read.
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
    _returned(transaction, connection_id, row)


def of_version(transaction: Transaction, connection_id: UUID, version: int, *, wait: bool = True) -> Connection | None:
    """Lock a connection that is still the version that was used, and return it; None where it was changed since.

    Args:
        transaction: of the connection's tenant.
        connection_id: the connection.
        version: the one that was used.
        wait: where another transaction has locked it, wait for it; otherwise return None.
    """
    locked: LiteralString = "" if wait else "SKIP LOCKED"
    row = transaction.execute(
        f"""
        {_SELECT}
        WHERE c.tenant_id = current_tenant() AND c.connection_id = %s AND c.version = %s AND c.deleted_at IS NULL
        FOR NO KEY UPDATE OF c {locked}
        """,
        [connection_id, version],
    ).fetchone()
    return None if row is None else Connection(*row)


def set_state(
    transaction: Transaction, connection: Connection, status: str, error_code: str | None, error_message: str | None
) -> Connection:
    """Set the state of a connection that the transaction has locked; its version stays, as nobody changed it.

    Args:
        connection: as it is.
        status: as it shall be.
        error_code: what is wrong; None: nothing.
        error_message: the same for people, with what to do about it.
    """
    row = transaction.execute(
        f"""
        {_UPDATE}
        SET status = %(status)s, error_code = %(code)s, error_message = %(message)s,
            states = c.states + 1, updated_at = now()
        {_ONE}
        {_RETURNING}
        """,
        {"id": connection.connection_id, "status": status, "code": error_code, "message": error_message},
    ).fetchone()
    return _returned(transaction, UUID(connection.connection_id), row)


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
        SET status = %(status)s, error_code = NULL, error_message = NULL, version = c.version + 1,
            updated_at = now()
        {_ONE} AND c.version = %(version)s
        {_RETURNING}
        """,
        {"id": connection_id, "status": status, "version": version},
    ).fetchone()
    return _returned(transaction, connection_id, row)


def _returned(transaction: Transaction, connection_id: UUID, row: Any) -> Connection:
    """Return the connection of a row that a change returned; raises for no row: it is gone, or another version."""
    if row is not None:
        return Connection(*row)
    raise VersionMismatch(current=find(transaction, connection_id).version)


def demand_active(connection: Connection) -> None:
    """Raise what stops a connection from being used, where something does.

    Raises:
        IntegrationNotActive, TemplateMoved, CredentialUnreadable, CredentialMissing.
    """
    if connection.stopped_by is not None:
        raise connection.stopped_by
