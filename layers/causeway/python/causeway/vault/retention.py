"""The time of replaced credentials: a rotation that nobody rolls back ends, and what it replaced is destroyed."""

from collections.abc import Callable
from uuid import UUID

from aws_lambda_powertools import Logger

from causeway.audit_log import PLATFORM, Action, record
from causeway.database.postgres import Database
from causeway.errors.tree import CausewayError
from causeway.tenancy.context import JobContext
from causeway.vault import credentials
from causeway.vault.credentials import KEPT, OVERLAP, Expired

logger = Logger(child=True)


def run(database: Database, may_go_on: Callable[[], bool], request_id: str) -> dict[str, int]:
    """Retire and destroy what is due, until nothing is or time is up; what is left is found again by the next run.

    Args:
        database: whose login may read credentials.
        may_go_on: asked before each connection.
        request_id: of the invocation.

    Returns:
        How many versions were retired, and how many destroyed; and with how many connections nothing could be done:
        somebody held their rows, say.

    Raises:
        Unavailable: what is due cannot be found out.
    """
    done = {"retired": 0, "destroyed": 0, "failed": 0}
    with database.transaction(PLATFORM) as transaction:
        due = transaction.execute(
            "SELECT tenant_id::text, connection_id FROM credentials_due_v1(%s, %s)", [OVERLAP, KEPT]
        ).fetchall()
    for connection in due:
        if not may_go_on():
            break
        try:
            expired = _expire(
                JobContext("credential-retention", connection.tenant_id, request_id, database), connection.connection_id
            )
        except CausewayError as error:
            # The others must not wait for it.
            done["failed"] += 1
            logger.warning(
                "A connection is left", extra={"connection_id": str(connection.connection_id), "reason": error.cause}
            )
        else:
            done["retired"] += len(expired.retired)
            done["destroyed"] += len(expired.destroyed)
    return done


def _expire(context: JobContext, connection_id: UUID) -> Expired:
    with context.transaction() as transaction:
        expired = credentials.expire(transaction, connection_id)
        # The audit log comes last: from its first entry on, the tenant's other writers wait.
        for action, versions in (
            (Action.CREDENTIAL_RETIRED, expired.retired),
            (Action.CREDENTIAL_DESTROYED, expired.destroyed),
        ):
            if versions:
                about = {"object_kind": "connection", "object_id": str(connection_id), "after": {"versions": versions}}
                record(transaction, context.entry(action, **about))
    return expired
