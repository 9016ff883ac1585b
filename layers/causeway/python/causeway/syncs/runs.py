"""The rows of syncs, in a transaction of their tenant.

A run is queued, then running under a worker's lease, then finished (succeeded, partial or failed). A run whose lease
ran out is queued again, until it had its last attempt.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, LiteralString
from uuid import UUID

from causeway.database.postgres import Transaction
from causeway.errors.syncs import SyncRunNotFound
from causeway.platforms.kinds.sync import Result
from causeway.wire.field_readers import parse_uuid

# The fields of Run.
_COLUMNS: LiteralString = """
    run_id, connection_id, status, reason, requested_by, requested_at, started_at, ended_at
"""
_FROM: LiteralString = "FROM sync_runs"
SELECT: LiteralString = f"SELECT {_COLUMNS} {_FROM}"
_UPDATE: LiteralString = "UPDATE sync_runs"
_INSERT: LiteralString = "INSERT INTO sync_runs (tenant_id, run_id, connection_id, status, requested_by)"

Status = Literal["queued", "running", "succeeded", "partial", "failed"]
# Why a run finished as it did: code and sentence.
REASONS = {
    "NO_ENGINE": "This provider's data cannot be synced yet",
    "INTEGRATION_NOT_ACTIVE": "The connection was not active any more when the sync should have started",
    "TEMPLATE_MOVED": "A super admin had changed the connection's template before the sync could start",
    "CREDENTIAL_UNREADABLE": "The connection's stored credentials could not be read when the sync should have started",
    "CREDENTIAL_MISSING": "The connection had no stored credentials when the sync should have started",
    "NEVER_ENDED": "The sync was attempted several times and never finished",
}
# Attempts of a run, at most.
MOST_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Run:
    """A sync of a connection."""

    run_id: UUID
    connection_id: UUID
    status: Status
    reason: str | None
    requested_by: str
    requested_at: datetime
    started_at: datetime | None
    ended_at: datetime | None

    @property
    def message(self) -> str | None:
        """The reason as a sentence; a reason that this release does not know is its own sentence."""
        return None if self.reason is None else REASONS.get(self.reason, self.reason)


@dataclass(frozen=True, slots=True)
class LeasedRun:
    """A run that one worker may work on until its lease runs out.

    Attributes:
        attempt: counts from 1; only the run's latest attempt can finish it.
    """

    run_id: UUID
    connection_id: UUID
    attempt: int
    provider_key: str


def parse_run_id(path: Mapping[str, str]) -> UUID:
    """Read a run's id from a request's path; raises SyncRunNotFound if it is not a UUID."""
    return parse_uuid(path["run_id"], SyncRunNotFound)


def find(transaction: Transaction, connection_id: UUID, run_id: UUID) -> Run:
    """Return a run of a connection; raises SyncRunNotFound."""
    row = transaction.execute(
        f"""
        {SELECT}
        WHERE tenant_id = current_tenant() AND connection_id = %s AND run_id = %s
        """,
        [connection_id, run_id],
    ).fetchone()
    if row is None:
        raise SyncRunNotFound
    return Run(**row._asdict())


def request(transaction: Transaction, connection_id: UUID, run_id: UUID, subject: str) -> tuple[Run, bool]:
    """Insert a queued run of a connection, unless the connection has one that is queued or running.

    Args:
        transaction: of the caller's tenant.
        connection_id: an existing connection.
        run_id: of the new run.
        subject: who requests it.

    Returns:
        The connection's open run, and whether it is the new one.
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
            return Run(**made._asdict()), True
        known = transaction.execute(
            f"""
            {SELECT}
            WHERE tenant_id = current_tenant() AND connection_id = %s AND status IN ('queued', 'running')
            """,
            [connection_id],
        ).fetchone()
        # The open run may finish between the two statements: then insert again.
        if known is not None:
            return Run(**known._asdict()), False


def lease(transaction: Transaction, run_id: UUID, duration: timedelta) -> LeasedRun | None:
    """Lease a queued run to the caller, as its next attempt; None if the run is unknown, running or finished.

    Args:
        transaction: of the run's tenant.
        run_id: the run.
        duration: the longest time the worker can be alive. After it the sweeper may queue the run again.
    """
    row = transaction.execute(
        """
        UPDATE sync_runs AS r
        SET status = 'running', attempts = r.attempts + 1, started_at = now(), leased_until = now() + %s
        FROM integration_connections AS c
        WHERE r.tenant_id = current_tenant() AND r.run_id = %s AND r.status = 'queued'
            AND c.tenant_id = r.tenant_id AND c.connection_id = r.connection_id
        RETURNING r.run_id, r.connection_id, r.attempts AS attempt, c.provider_key
        """,
        [duration, run_id],
    ).fetchone()
    return None if row is None else LeasedRun(**row._asdict())


def finish(transaction: Transaction, leased: LeasedRun, result: Result) -> bool:
    """Write a run's result; False if this attempt's lease ran out and the sweeper took the run from it."""
    written = transaction.execute(
        """
        UPDATE sync_runs SET status = %s, reason = %s, ended_at = now(), leased_until = NULL
        WHERE tenant_id = current_tenant() AND run_id = %s AND status = 'running' AND attempts = %s
        """,
        [result.status, result.reason, leased.run_id, leased.attempt],
    ).rowcount
    if written and result.status != "failed":
        transaction.execute(
            """
            UPDATE integration_connections SET last_sync_at = now()
            WHERE tenant_id = current_tenant() AND connection_id = %s
            """,
            [leased.connection_id],
        )
    return bool(written)


def lost(transaction: Transaction, queued_for: timedelta) -> list[Any]:
    """Return tenant_id and row_id of the lost runs of all tenants: queued for too long, or with a lease that ran out.

    Args:
        transaction: of the hub's login; it needs no tenant.
        queued_for: longer than this in the queue is too long.
    """
    return transaction.execute(
        "SELECT tenant_id, run_id AS row_id FROM sync_runs_due_v1(%s) AS d", [queued_for]
    ).fetchall()


def requeue(transaction: Transaction, run_id: UUID, queued_for: timedelta) -> Run | None:
    """Queue a lost run again, or fail it where it had its last attempt.

    Args:
        transaction: of the run's tenant.
        run_id: the run.
        queued_for: as in lost.

    Returns:
        The run as it is now; None if it is not lost, for example because a worker leased it meanwhile.
    """
    row = transaction.execute(
        f"""
        {_UPDATE}
        SET status = CASE WHEN attempts < %(most)s THEN 'queued' ELSE 'failed' END,
            reason = CASE WHEN attempts < %(most)s THEN NULL ELSE 'NEVER_ENDED' END,
            ended_at = CASE WHEN attempts < %(most)s THEN NULL ELSE now() END,
            queued_at = now(), leased_until = NULL
        WHERE tenant_id = current_tenant() AND run_id = %(id)s AND (
            (status = 'queued' AND queued_at < now() - %(queued_for)s)
            OR (status = 'running' AND leased_until < now())
        )
        RETURNING {_COLUMNS}
        """,
        {"most": MOST_ATTEMPTS, "id": run_id, "queued_for": queued_for},
    ).fetchone()
    return None if row is None else Run(**row._asdict())
