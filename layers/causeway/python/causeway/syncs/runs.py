"""The rows of syncs that were asked for, and what became of them; in a transaction of their tenant.

A run is queued, then running, then ended; one that was begun and never ended is queued again.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, LiteralString
from uuid import UUID

import psycopg

from causeway.errors.requests import InvalidRequest
from causeway.errors.syncs import SyncRunNotFound
from causeway.wire.fields import MOST_ROWS, known_fields, limit_field, uuid_or

Transaction = psycopg.Connection[Any]

# As a Run has them.
_COLUMNS: LiteralString = """
    run_id::text, connection_id::text, status, reason, requested_by, requested_at, started_at, ended_at
"""
_FROM: LiteralString = "FROM sync_runs"
_SELECT: LiteralString = f"SELECT {_COLUMNS} {_FROM}"
_INSERT: LiteralString = "INSERT INTO sync_runs (tenant_id, run_id, connection_id, status, requested_by)"

STATUSES = ("queued", "running", "succeeded", "partial", "failed")
# What people are told of why a run ended as it did.
REASONS = {
    "NO_ENGINE": "This provider's data cannot be synced yet",
    "INTEGRATION_NOT_ACTIVE": "The connection was no longer active when the sync was to begin",
    "TEMPLATE_MOVED": "A super admin had changed the connection's template when the sync was to begin",
    "CREDENTIAL_UNREADABLE": "The connection's stored credentials could not be read when the sync was to begin",
    "CREDENTIAL_MISSING": "The connection had no stored credentials when the sync was to begin",
    "NEVER_ENDED": "The sync was begun several times and did not come to an end",
}
# How often a run is begun at most.
MOST_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Run:
    """A sync of a connection."""

    run_id: str
    connection_id: str
    status: str
    reason: str | None
    requested_by: str
    requested_at: datetime
    started_at: datetime | None
    ended_at: datetime | None

    def as_json(self) -> dict[str, Any]:
        """Return the run as callers see it; a reason of a newer release than this speaks for itself."""
        return {
            "runId": self.run_id,
            "status": self.status,
            "reason": self.reason,
            "message": None if self.reason is None else REASONS.get(self.reason, self.reason),
            "requestedBy": self.requested_by,
            "requestedAt": self.requested_at.isoformat(),
            "startedAt": None if self.started_at is None else self.started_at.isoformat(),
            "endedAt": None if self.ended_at is None else self.ended_at.isoformat(),
        }


@dataclass(frozen=True, slots=True)
class Taken:
    """A run that somebody may work on now. attempt: which one he is, as ending it must name."""

    run_id: str
    connection_id: str
    attempt: int
    provider_key: str


@dataclass(frozen=True, slots=True)
class Ended:
    """What came of a run. reason: one of REASONS, None where there is nothing to explain."""

    status: Literal["succeeded", "partial", "failed"]
    reason: str | None = None


def parse_run_id(text: str) -> UUID:
    """Return a run's id as it stands in a path; raises SyncRunNotFound where it is none."""
    return uuid_or(text, SyncRunNotFound)


def find(transaction: Transaction, connection_id: str, run_id: UUID) -> Run:
    """Return a run of a connection; raises SyncRunNotFound."""
    row = transaction.execute(
        f"""
        {_SELECT}
        WHERE tenant_id = current_tenant() AND connection_id = %s AND run_id = %s
        """,
        [connection_id, run_id],
    ).fetchone()
    if row is None:
        raise SyncRunNotFound
    return Run(*row)


def page(transaction: Transaction, connection_id: str, query: dict[str, str]) -> tuple[list[Run], str | None]:
    """Return runs of a connection, newest first, and the next page's cursor, None at the end.

    Raises:
        InvalidRequest: names the parameter.
    """
    known_fields(query, {"limit", "cursor"})
    limit = limit_field(query, MOST_ROWS)
    last = _last_seen(transaction, connection_id, query["cursor"]) if "cursor" in query else None
    rows = transaction.execute(
        f"""
        {_SELECT}
        WHERE tenant_id = current_tenant() AND connection_id = %(connection)s
            AND (%(at)s::timestamptz IS NULL OR (requested_at, run_id) < (%(at)s, %(id)s::uuid))
        ORDER BY requested_at DESC, run_id DESC LIMIT %(limit)s + 1
        """,
        {
            "connection": connection_id,
            "at": None if last is None else last.requested_at,
            "id": None if last is None else last.run_id,
            "limit": limit,
        },
    ).fetchall()
    shown = [Run(*row) for row in rows[:limit]]
    return shown, shown[-1].run_id if len(rows) > limit else None


def _last_seen(transaction: Transaction, connection_id: str, cursor: str) -> Run:
    try:
        return find(transaction, connection_id, parse_run_id(cursor))
    except SyncRunNotFound as error:
        raise InvalidRequest("cursor is not one that was answered here") from error


def begin(transaction: Transaction, connection_id: str, run_id: UUID, subject: str) -> tuple[Run, bool]:
    """Have a run of a connection queued: a new one, or the one that is queued or running already.

    Args:
        connection_id: of a connection that is there.
        run_id: of a new one.
        subject: who asks for it.

    Returns:
        The run, and whether it was made just now.
    """
    while True:
        made = transaction.execute(
            f"""
            {_INSERT} VALUES (current_tenant(), %s, %s, 'queued', %s)
            ON CONFLICT (tenant_id, connection_id) WHERE status IN ('queued', 'running') DO NOTHING
            RETURNING {_COLUMNS}
            """,
            [run_id, connection_id, subject],
        ).fetchone()
        if made is not None:
            return Run(*made), True
        known = transaction.execute(
            f"""
            {_SELECT}
            WHERE tenant_id = current_tenant() AND connection_id = %s AND status IN ('queued', 'running')
            """,
            [connection_id],
        ).fetchone()
        # Between the two statements the run that was in the way may end: then there is room for a new one.
        if known is not None:
            return Run(*known), False


def take(transaction: Transaction, run_id: UUID, lease: timedelta) -> Taken | None:
    """Begin a run that is queued; None where there is no such: it is unknown, running or ended.

    Args:
        lease: for how long he who takes it can be alive; after that it is anybody's again.
    """
    row = transaction.execute(
        """
        UPDATE sync_runs AS r
        SET status = 'running', attempts = r.attempts + 1, started_at = now(), leased_until = now() + %s
        FROM integration_connections AS c
        WHERE r.tenant_id = current_tenant() AND r.run_id = %s AND r.status = 'queued'
            AND c.tenant_id = r.tenant_id AND c.connection_id = r.connection_id
        RETURNING r.run_id::text, r.connection_id::text, r.attempts, c.provider_key
        """,
        [lease, run_id],
    ).fetchone()
    return None if row is None else Taken(*row)


def end(transaction: Transaction, taken: Taken, ended: Ended) -> bool:
    """Write down what came of a run; False where it was taken from this attempt, whose lease had run out."""
    written = transaction.execute(
        """
        UPDATE sync_runs SET status = %s, reason = %s, ended_at = now(), leased_until = NULL
        WHERE tenant_id = current_tenant() AND run_id = %s AND status = 'running' AND attempts = %s
        """,
        [ended.status, ended.reason, taken.run_id, taken.attempt],
    ).rowcount
    if written and ended.status != "failed":
        transaction.execute(
            """
            UPDATE integration_connections SET last_sync_at = now()
            WHERE tenant_id = current_tenant() AND connection_id = %s
            """,
            [taken.connection_id],
        )
    return bool(written)


def requeue(transaction: Transaction, run_id: UUID, age: timedelta) -> Run | None:
    """Have a run queued again that the queue or its worker lost, or failed where it was begun often enough.

    Args:
        age: how long a run may be in the queue.

    Returns:
        The run as it is now; None where it is not lost (any more).
    """
    row = transaction.execute(
        """
        UPDATE sync_runs
        SET status = CASE WHEN attempts < %(most)s THEN 'queued' ELSE 'failed' END,
            reason = CASE WHEN attempts < %(most)s THEN NULL ELSE 'NEVER_ENDED' END,
            ended_at = CASE WHEN attempts < %(most)s THEN NULL ELSE now() END,
            queued_at = now(), leased_until = NULL
        WHERE tenant_id = current_tenant() AND run_id = %(id)s
            AND ((status = 'queued' AND queued_at < now() - %(age)s) OR (status = 'running' AND leased_until < now()))
        RETURNING connection_id::text
        """,
        {"most": MOST_ATTEMPTS, "id": run_id, "age": age},
    ).fetchone()
    return None if row is None else find(transaction, row.connection_id, run_id)
