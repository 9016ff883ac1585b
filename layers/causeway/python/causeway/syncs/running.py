"""A run that the queue delivers: taken by one, handed to its provider's engine, ended with what came of it."""

from collections.abc import Mapping
from datetime import timedelta

from aws_lambda_powertools import Logger

from causeway.audit_log import Action, Entry, record
from causeway.database import Database
from causeway.syncs import runs
from causeway.syncs.engines import ENGINES, Engine
from causeway.syncs.queue import Message
from causeway.syncs.runs import Ended, Run, Taken, Transaction

logger = Logger(child=True)


def run(
    database: Database, message: Message, lease: timedelta, engines: Mapping[str, Engine] = ENGINES
) -> Ended | None:
    """Work on a run, and return what came of it; None where it was not this call's to work on, or to end.

    A message comes at least once. One about a run that is unknown, running or ended is done with.

    Args:
        database: of the hub's login.
        message: as delivered.
        lease: for how long this call can be alive.
        engines: by provider's key.

    Raises:
        Unavailable: the database cannot be used; the message is to be delivered again.
    """
    tenant_id = str(message.tenant_id)
    with database.transaction(tenant_id) as transaction:
        taken = runs.take(transaction, message.run_id, lease)
    if taken is None:
        logger.info("Not waiting: unknown, running or ended", extra={"run": str(message.run_id)})
        return None
    ended = _worked(taken, engines)
    with database.transaction(tenant_id) as transaction:
        written = runs.end(transaction, taken, ended)
        if written:
            note_end(transaction, "sync-run", taken, ended.status, ended.reason)
    if not written:
        logger.warning("Worked for longer than its lease; another has it", extra={"run": taken.run_id})
        return None
    return ended


def _worked(taken: Taken, engines: Mapping[str, Engine]) -> Ended:
    if not taken.usable:
        return Ended("failed", "CONNECTION_NOT_ACTIVE")
    engine = engines.get(taken.provider_key)
    return Ended("failed", "NO_ENGINE") if engine is None else engine(taken)


def note_end(transaction: Transaction, job: str, about: Run | Taken, status: str, reason: str | None) -> None:
    """Write the end of a run into the audit log of its tenant. job: who ended it."""
    entry = Entry(
        action=Action.SYNC_ENDED,
        actor_kind="system",
        actor=job,
        actor_role=None,
        object_kind="connection",
        object_id=about.connection_id,
        outcome="failed" if status == "failed" else "done",
        after={"runId": about.run_id, "status": status, "reason": reason},
    )
    record(transaction, entry)
