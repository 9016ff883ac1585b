"""A run that the queue delivers: taken by one, handed to its provider's engine, ended with what came of it."""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from aws_lambda_powertools import Logger

from causeway.audit_log import Action, record
from causeway.connections import rows
from causeway.database.postgres import Database
from causeway.errors.connections import ConnectionNotFound, IntegrationNotActive
from causeway.syncs import runs
from causeway.syncs.engines import ENGINES, Engine
from causeway.syncs.queue import Message
from causeway.syncs.runs import Ended, Run, Taken, Transaction
from causeway.tenancy.context import JobContext

logger = Logger(child=True)


def run(
    database: Database, message: Message, lease: timedelta, request_id: str, engines: Mapping[str, Engine] = ENGINES
) -> Ended | None:
    """Work on a run, and return what came of it; None where it was not this call's to work on, or to end.

    A message comes at least once. One about a run that is unknown, running or ended is done with.

    Args:
        database: of the hub's login.
        message: as delivered.
        lease: for how long this call can be alive.
        request_id: of the invocation.
        engines: by provider's key.

    Raises:
        Unavailable: the database cannot be used; the message is to be delivered again.
    """
    context = JobContext("sync-run", str(message.tenant_id), request_id, database)
    with context.transaction() as transaction:
        taken = runs.take(transaction, message.run_id, lease)
        stopped = None if taken is None else _stopped(transaction, taken)
    if taken is None:
        logger.info("Not waiting: unknown, running or ended", extra={"run": str(message.run_id)})
        return None
    ended = _worked(context, taken, engines) if stopped is None else Ended("failed", stopped)
    with context.transaction() as transaction:
        written = runs.end(transaction, taken, ended)
        if written:
            note_end(context, transaction, taken, ended.status, ended.reason)
    if not written:
        logger.warning("Worked for longer than its lease; another has it", extra={"run": taken.run_id})
        return None
    return ended


def _stopped(transaction: Transaction, taken: Taken) -> str | None:
    """Return the reason for which a run's connection cannot be used any more, None where it can."""
    try:
        stopped = rows.find(transaction, UUID(taken.connection_id)).stopped_by
    except ConnectionNotFound:
        return IntegrationNotActive.code
    return None if stopped is None else stopped.code


def _worked(context: JobContext, taken: Taken, engines: Mapping[str, Engine]) -> Ended:
    engine = engines.get(taken.provider_key)
    return Ended("failed", "NO_ENGINE") if engine is None else engine(context, taken)


def note_end(
    context: JobContext, transaction: Transaction, about: Run | Taken, status: str, reason: str | None
) -> None:
    """Write the end of a run into the audit log of its tenant. context: of the job that ended it."""
    entry = context.entry(
        Action.SYNC_ENDED,
        object_kind="connection",
        object_id=about.connection_id,
        outcome="failed" if status == "failed" else "done",
        after={"runId": about.run_id, "status": status, "reason": reason},
    )
    record(transaction, entry)
