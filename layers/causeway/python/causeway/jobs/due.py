"""The loop of a scheduled job over the rows of all tenants that are due."""

from collections.abc import Callable, Sequence
from typing import Any

from aws_lambda_powertools import Logger

from causeway.audit_log.entries import DEPLOYMENT
from causeway.database.postgres import Transaction
from causeway.errors.service import Internal, Misconfigured, SchemaBehind
from causeway.errors.tree import CausewayError
from causeway.jobs.invocations import Invocation
from causeway.tenancy.context import JobContext

logger = Logger(child=True)

# Errors that no row causes: with a missing setting or an old schema, the work fails with every row.
_CONCERN_ALL = (Misconfigured, SchemaBehind)

# Reads what is due of all tenants. Each row has a tenant_id; the longest due comes first.
Due = Callable[[Transaction], Sequence[Any]]


def for_each_due(
    invocation: Invocation,
    job: str,
    due: Due,
    work: Callable[[JobContext, Any], None],
    counts: dict[str, int],
    *,
    failed: str = "failed",
    stop_on: tuple[type[CausewayError], ...] = (),
) -> None:
    """Work on each row that is due until the time budget is used up; the next invocation finds the rest again.

    A failure with one row, such as a row that another transaction has locked, is logged and counted. It does not stop
    the work on the others. A fault of ours with a row (Internal, or an exception that nobody expected) does not stop it
    either, but the first one is raised in the end: the invocation fails, so that the function's alarm rings.

    The rows are counted as they fail, so the caller has the counts also if this raises, and reports them.

    Args:
        invocation: begins no new work when its time budget is used up.
        job: the job's name in the audit log and in ours.
        due: runs in a transaction that sees no tenant's rows: it calls a database function that returns ids only.
        work: is given the job's context in the row's tenant and the row; opens its own transactions.
        counts: the job's counts; the rows that failed are added as they fail.
        failed: the name of that count.
        stop_on: errors that concern every tenant and end the loop, such as a service that all of them need.

    Raises:
        Unavailable: what is due cannot be read.
        Misconfigured, SchemaBehind: met with a row, and would be met with the others; raised at once.
        CausewayError: one of stop_on; raised at once.
        Exception: the first fault of ours, with a note of the job and the row, after the others were worked on.
    """
    with invocation.database.transaction(DEPLOYMENT) as transaction:
        rows = due(transaction)
    counts.setdefault(failed, 0)
    fault: Exception | None = None
    for row in rows:
        if not invocation.budget.has_time():
            break
        try:
            work(invocation.job(job, row.tenant_id), row)
        except (*_CONCERN_ALL, *stop_on):
            raise
        except Exception as error:
            counts[failed] += 1
            expected = isinstance(error, CausewayError)
            if not expected or isinstance(error, Internal):
                # The log of the exception shows the note.
                error.add_note(f"{job} failed at {_ids(row)}")
                fault = fault or error
            logger.warning(
                "Failed, left to the next invocation",
                extra={"job": job, **_ids(row), "reason": _reason(error)},
                exc_info=not expected,
            )
    if fault is not None:
        raise fault


def _reason(error: Exception) -> str:
    return error.cause or error.sentence if isinstance(error, CausewayError) else repr(error)


def _ids(row: Any) -> dict[str, str]:
    return {name: str(value) for name, value in row._asdict().items()}
