"""A run that the queue delivers: leased by one worker, handed to its provider's engine, finished with a result."""

from collections.abc import Callable
from functools import partial

from aws_lambda_powertools import Logger

from causeway.audit_log.entries import Action, record
from causeway.connections import rows
from causeway.database.postgres import Transaction
from causeway.errors.connections import ConnectionNotFound, IntegrationNotActive
from causeway.jobs.invocations import Invocation
from causeway.jobs.messages import RowMessage
from causeway.platforms.kinds.sync import Result, SyncRun
from causeway.syncs import engines, runs
from causeway.syncs.engines import Engine
from causeway.syncs.runs import LeasedRun, Run
from causeway.tenancy.context import JobContext

logger = Logger(child=True)


def run(
    invocation: Invocation, message: RowMessage, find_engine: Callable[[str], Engine | None] = engines.find
) -> Result | None:
    """Work on a queued run and return its result.

    SQS delivers a message at least once. A message about a run that is unknown, running or finished does nothing.

    Args:
        invocation: of the hub's login; the run is leased for as long as it can last.
        message: names the run.
        find_engine: returns a platform's engine by its key.

    Returns:
        None if the run was not queued, or if the lease ran out before the engine returned.

    Raises:
        Unavailable: the database cannot be used; SQS delivers the message again.
        Exception: what the engine raised; the sweeper queues the run again when its lease has run out.
    """
    context = invocation.job("sync-run", message.tenant_id)
    with context.transaction() as transaction:
        leased = runs.lease(transaction, message.row_id, invocation.budget.lease())
        obstacle = None if leased is None else _obstacle(transaction, leased)
    if leased is None:
        logger.info("Nothing to do: the run is unknown, running or finished", extra=message.ids)
        return None
    result = _run_engine(context, leased, find_engine) if obstacle is None else Result("failed", obstacle)
    with context.transaction() as transaction:
        written = runs.finish(transaction, leased, result)
        if written:
            audit_finish(context, transaction, leased, result.status, result.reason)
    if not written:
        logger.warning("The lease ran out; another worker may have the run", extra=message.ids)
        return None
    return result


def _obstacle(transaction: Transaction, leased: LeasedRun) -> str | None:
    """Return why the run's connection cannot be used any more, as one of REASONS; None if it can be used."""
    try:
        use_error = rows.find(transaction, leased.connection_id).use_error
    except ConnectionNotFound:
        return IntegrationNotActive.code
    return None if use_error is None else use_error.code


def _run_engine(context: JobContext, leased: LeasedRun, find_engine: Callable[[str], Engine | None]) -> Result:
    engine = find_engine(leased.provider_key)
    if engine is None:
        return Result("failed", "NO_ENGINE")
    from causeway.connections.use import open_connection
    from causeway.connections.work import Work

    open_account = partial(open_connection, context, leased.connection_id, Work.of_run(leased.run_id))
    return engine(SyncRun(context, leased.run_id, leased.connection_id, leased.attempt, open_account))


def audit_finish(
    context: JobContext, transaction: Transaction, run: Run | LeasedRun, status: str, reason: str | None
) -> None:
    """Write a run's final status into the audit log of its tenant. context: of the job that finished it."""
    entry = context.entry(
        Action.SYNC_ENDED,
        object_kind="connection",
        object_id=str(run.connection_id),
        outcome="failed" if status == "failed" else "done",
        after={"runId": str(run.run_id), "status": status, "reason": reason},
    )
    record(transaction, entry)
