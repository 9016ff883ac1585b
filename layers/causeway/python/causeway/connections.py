"""Connections of a tenant to providers: what they are, and how they come, change and go.

Every function works in a transaction of the tenant. Secrets are in causeway.credentials; here they have no place.
"""

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from uuid import UUID

import psycopg
from psycopg import errors as pg
from psycopg.types.json import Jsonb

from causeway.errors import (
    ConnectionNotFound,
    IdempotencyKeyReused,
    IntegrationNotActive,
    InvalidRequest,
    NameTaken,
    VersionMismatch,
)
from causeway.fields import choice_field, known_fields, limit_field, number_field, object_field, text_field
from causeway.outbound import Attempt
from causeway.outbound.verdicts import Verdict

_MOST_ROWS = 100
STATUSES = ("pending", "active", "error", "disconnected")
ENVIRONMENTS = ("production", "sandbox")

Transaction = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True)
class Draft:
    """POST /integrations: a connection to be made. config holds settings and secrets, as the provider's schema says."""

    template_id: str
    name: str
    description: str
    environment: str
    config: dict[str, Any]

    @classmethod
    def parse(cls, body: dict[str, Any]) -> Self:
        """Read the body; raises InvalidRequest, which names the field."""
        known_fields(body, {"templateId", "name", "description", "environment", "config"})
        return cls(
            text_field(body, "templateId", 64),
            text_field(body, "name", 100),
            text_field(body, "description", 1000, ""),
            str(choice_field(body, "environment", ENVIRONMENTS, "production")),
            object_field(body, "config"),
        )


@dataclass(frozen=True, slots=True)
class Claim:
    """An Idempotency-Key, and the digest of the body it came with."""

    key: str
    digest: bytes

    @classmethod
    def of(cls, key: str, draft: Draft, secret: bytes) -> Self:
        """Make the claim of a draft.

        Args:
            key: as sent.
            draft: the body.
            secret: keys the digest, as the body holds secrets, and a short one is found by trying all of them.

        Raises:
            InvalidRequest: the key is empty or too long.
        """
        if not 1 <= len(key) <= 255:
            raise InvalidRequest("Idempotency-Key must have 1 to 255 characters")
        body = [draft.template_id, draft.name, draft.description, draft.environment, draft.config]
        return cls(key, hmac.digest(secret, b"request\0" + json.dumps(body, sort_keys=True).encode(), "sha256"))


@dataclass(frozen=True, slots=True)
class Change:
    """PATCH /integrations/{id}: what is None stays. config: fields to set; null takes one away; others stay."""

    name: str | None
    description: str | None
    config: dict[str, Any] | None

    @classmethod
    def parse(cls, body: dict[str, Any]) -> Self:
        """Read the body; raises InvalidRequest, which names the field."""
        known_fields(body, {"name", "description", "config"})
        if not body:
            raise InvalidRequest("Nothing to change: send name, description or config")
        return cls(
            text_field(body, "name", 100) if "name" in body else None,
            text_field(body, "description", 1000, "") if "description" in body else None,
            object_field(body, "config") if "config" in body else None,
        )


@dataclass(frozen=True, slots=True)
class NewSecrets:
    """POST /integrations/{id}/credentials/rotate: the secrets that take the place of those in use."""

    config: dict[str, Any]

    @classmethod
    def parse(cls, body: dict[str, Any]) -> Self:
        """Read the body; raises InvalidRequest, which names the field."""
        known_fields(body, {"config"})
        return cls(object_field(body, "config"))


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
        """Return the connection in the seed's names. with_config: staff are not shown the settings."""
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


def connection_id(text: str) -> UUID:
    """Return a connection's id as it stands in a path; raises ConnectionNotFound where it is none."""
    try:
        return UUID(text)
    except ValueError as error:
        raise ConnectionNotFound from error


def find(transaction: Transaction, identity: UUID) -> Connection:
    """Return a connection of the transaction's tenant; raises ConnectionNotFound."""
    row = transaction.execute(
        """
        SELECT c.connection_id::text, c.provider_key, p.kind, c.name, c.description, c.environment, c.config, c.status,
            c.is_active, c.error_message, c.last_sync_at, c.version, c.created_by, c.created_at, c.updated_at,
            c.terms
        FROM integration_connections AS c
        INNER JOIN integration_providers AS p USING (provider_key)
        WHERE c.tenant_id = current_tenant() AND c.connection_id = %s AND c.deleted_at IS NULL
        """,
        [identity],
    ).fetchone()
    if row is None:
        raise ConnectionNotFound
    return Connection(*row)


@dataclass(frozen=True, slots=True)
class Filter:
    """GET /integrations: which connections, and after which. What is None does not matter."""

    kind: str | None = None
    status: str | None = None
    provider: str | None = None
    limit: int = 50
    # The last connection of the page before: when it was created, and its id.
    after: tuple[datetime, UUID] | None = None

    @classmethod
    def parse(cls, query: dict[str, str]) -> Self:
        """Read the query; raises InvalidRequest, which names the parameter."""
        known_fields(query, {"kind", "status", "provider", "limit", "cursor"})
        status = choice_field(query, "status", STATUSES)
        return cls(
            text_field(query, "kind", 64) if "kind" in query else None,
            status,
            text_field(query, "provider", 64) if "provider" in query else None,
            limit_field(query, _MOST_ROWS),
            _cursor(query.get("cursor")),
        )


def _cursor(text: str | None) -> tuple[datetime, UUID] | None:
    if text is None:
        return None
    try:
        created_at, identity = urlsafe_b64decode(text.encode() + b"==").decode().split(" ")
        return datetime.fromisoformat(created_at), UUID(identity)
    except ValueError as error:
        raise InvalidRequest("cursor is not one that was answered here") from error


def page(transaction: Transaction, wanted: Filter) -> tuple[list[Connection], str | None]:
    """Return connections of the transaction's tenant, newest first, and the next page's cursor, None at the end."""
    after_at, after_id = wanted.after or (None, None)
    rows = transaction.execute(
        """
        SELECT c.connection_id::text, c.provider_key, p.kind, c.name, c.description, c.environment, c.config, c.status,
            c.is_active, c.error_message, c.last_sync_at, c.version, c.created_by, c.created_at, c.updated_at,
            c.terms
        FROM integration_connections AS c
        INNER JOIN integration_providers AS p USING (provider_key)
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
    return found[: wanted.limit], urlsafe_b64encode(text.encode()).decode().rstrip("=")


def create(
    transaction: Transaction,
    identity: UUID,
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
        known = _claimed(transaction, subject, claim, identity)
        if known is not None:
            return known, False
    try:
        transaction.execute(
            """
            INSERT INTO integration_connections (
                tenant_id, connection_id, provider_key, name, description, environment, config, terms, created_by
            ) VALUES (current_tenant(), %s, %s, %s, %s, %s, %s, %s, %s)
            """,
            [
                identity,
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
    return identity, True


def _claimed(transaction: Transaction, subject: str, claim: Claim, identity: UUID) -> UUID | None:
    made = transaction.execute(
        """
        INSERT INTO idempotency_keys (tenant_id, subject, idempotency_key, request_hash, object_id)
        VALUES (current_tenant(), %s, %s, %s, %s) ON CONFLICT DO NOTHING
        """,
        [subject, claim.key, claim.digest, identity],
    ).rowcount
    if made:
        return None
    known = transaction.execute(
        """
        SELECT request_hash, object_id FROM idempotency_keys
        WHERE tenant_id = current_tenant() AND subject = %s AND idempotency_key = %s
        """,
        [subject, claim.key],
    ).fetchone()
    if known is None or bytes(known.request_hash) != claim.digest:
        raise IdempotencyKeyReused
    return known.object_id


def update(
    transaction: Transaction,
    identity: UUID,
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
                identity,
                version,
            ],
        ).rowcount
    except pg.UniqueViolation as error:
        raise NameTaken from error
    found = find(transaction, identity)
    if not changed:
        raise VersionMismatch
    return found


def delete(transaction: Transaction, identity: UUID) -> None:
    """Take a connection away; its logs and its audit stay. Its credentials are the caller's to destroy, before.

    Raises:
        ConnectionNotFound: another was faster.
    """
    deleted = transaction.execute(
        """
        UPDATE integration_connections
        SET deleted_at = now(), status = 'disconnected', is_active = false, version = version + 1, updated_at = now()
        WHERE tenant_id = current_tenant() AND connection_id = %s AND deleted_at IS NULL
        """,
        [identity],
    ).rowcount
    if not deleted:
        raise ConnectionNotFound


def settle(transaction: Transaction, identity: UUID, version: int, verdict: Verdict, response_ms: int) -> None:
    """Set a connection's state and health by the verdict of a test; a disabled connection stays disabled.

    Args:
        version: what was tested; a connection that was changed since is left alone.
        verdict: what the test came to.
        response_ms: how long it took, in milliseconds.
    """
    error = None if verdict.success else f"{verdict.message} {verdict.next_action}"
    tested = transaction.execute(
        """
        UPDATE integration_connections
        SET status = CASE
                WHEN status = 'disconnected' THEN status WHEN %(error)s::text IS NULL THEN 'active' ELSE 'error'
            END,
            is_active = status <> 'disconnected' AND %(error)s::text IS NULL,
            error_message = %(error)s, updated_at = now()
        WHERE tenant_id = current_tenant() AND connection_id = %(id)s AND version = %(version)s AND deleted_at IS NULL
        """,
        {"error": error, "id": identity, "version": version},
    )
    if tested.rowcount:
        _note_health(transaction, identity, verdict, response_ms)


def enable(transaction: Transaction, identity: UUID) -> Connection:
    """Let a disabled connection be used again, as a test must show it may; raises ConnectionNotFound."""
    return _switched(transaction, identity, "pending")


def disable(transaction: Transaction, identity: UUID) -> Connection:
    """Stop a connection from being used until it is enabled; raises ConnectionNotFound."""
    return _switched(transaction, identity, "disconnected")


def _switched(transaction: Transaction, identity: UUID, status: str) -> Connection:
    transaction.execute(
        """
        UPDATE integration_connections
        SET status = %s, is_active = false, version = version + 1, updated_at = now()
        WHERE tenant_id = current_tenant() AND connection_id = %s AND deleted_at IS NULL
        """,
        [status, identity],
    )
    return find(transaction, identity)


def demand_active(connection: Connection) -> None:
    """Raise IntegrationNotActive where a connection may not be used."""
    if not connection.is_active:
        raise IntegrationNotActive


def start_sync(transaction: Transaction, connection: Connection, subject: str, reason: str) -> UUID:
    """Record a sync that was asked for and cannot run, with the reason; returns the run's id."""
    row = transaction.execute(
        """
        INSERT INTO sync_runs (tenant_id, connection_id, status, reason, requested_by, ended_at)
        VALUES (current_tenant(), %s, 'failed', %s, %s, now()) RETURNING run_id
        """,
        [connection.connection_id, reason, subject],
    ).fetchone()
    if row is None:
        raise ConnectionNotFound
    return row.run_id


def log_attempt(transaction: Transaction, identity: UUID, attempt: Attempt, request_id: str) -> None:
    """Keep the record of a call to a connection's provider."""
    transaction.execute(
        """
        INSERT INTO integration_api_logs (
            tenant_id, connection_id, method, url, status, milliseconds, error, request_body, response_body, request_id
        ) VALUES (current_tenant(), %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        [
            identity,
            attempt.method,
            attempt.url,
            attempt.status,
            attempt.milliseconds,
            attempt.error,
            _without_nul(attempt.request_body),
            _without_nul(attempt.response_body),
            request_id,
        ],
    )


def _without_nul(text: str) -> str:
    return text.replace("\0", "\ufffd").encode(errors="replace").decode()


def _note_health(transaction: Transaction, identity: UUID, verdict: Verdict, response_ms: int) -> None:
    """Healthy, degraded where the platform asks to wait or errs itself, or down."""
    status = "healthy" if verdict.success else "down"
    if verdict.code in ("RATE_LIMITED", "PROVIDER_ERROR"):
        status = "degraded"
    transaction.execute(
        """
        INSERT INTO integration_health (tenant_id, connection_id, status, code, message, next_action, response_ms)
        VALUES (current_tenant(), %s, %s, %s, %s, %s, %s)
        ON CONFLICT (tenant_id, connection_id) DO UPDATE
        SET status = excluded.status, code = excluded.code, message = excluded.message,
            next_action = excluded.next_action, response_ms = excluded.response_ms, checked_at = excluded.checked_at
        """,
        [identity, status, verdict.code, verdict.message, verdict.next_action, response_ms],
    )


def logs(
    transaction: Transaction, connection: Connection, query: dict[str, str]
) -> tuple[list[dict[str, Any]], str | None]:
    """Return a page of the calls made for a connection, newest first, and the next page's cursor, None at the end."""
    known_fields(query, {"limit", "cursor"})
    limit, cursor = limit_field(query, _MOST_ROWS), number_field(query, "cursor")
    rows = transaction.execute(
        """
        SELECT log_id, method, url, status, milliseconds, error, request_body, response_body, request_id, created_at
        FROM integration_api_logs
        WHERE tenant_id = current_tenant() AND connection_id = %s AND (%s::bigint IS NULL OR log_id < %s)
        ORDER BY log_id DESC LIMIT %s + 1
        """,
        [connection.connection_id, cursor, cursor, limit],
    ).fetchall()
    shown = [
        {
            "id": row.log_id,
            "method": row.method,
            "url": row.url,
            "status": row.status,
            "milliseconds": row.milliseconds,
            "error": row.error,
            "requestBody": row.request_body,
            "responseBody": row.response_body,
            "requestId": row.request_id,
            "createdAt": row.created_at.isoformat(),
        }
        for row in rows[:limit]
    ]
    return shown, str(shown[-1]["id"]) if len(rows) > limit else None


def health(transaction: Transaction, connection: Connection) -> dict[str, Any]:
    """Return how a connection was at its last test, in the seed's names."""
    row = transaction.execute(
        """
        SELECT status, code, message, next_action, response_ms, checked_at FROM integration_health
        WHERE tenant_id = current_tenant() AND connection_id = %s
        """,
        [connection.connection_id],
    ).fetchone()
    return {
        "id": connection.connection_id,
        "name": connection.name,
        "type": connection.provider_key,
        "status": connection.status,
        "isActive": connection.is_active,
        "lastSync": None if connection.last_sync_at is None else connection.last_sync_at.isoformat(),
        "errorMessage": connection.error_message,
        "checks": {
            "connection": None
            if row is None
            else {
                "status": row.status,
                "code": row.code,
                "message": row.message,
                "nextAction": row.next_action,
                "responseMs": row.response_ms,
                "checkedAt": row.checked_at.isoformat(),
            }
        },
    }
