"""The time of replaced credentials: a rotation that nobody rolls back ends, and what it replaced is destroyed."""

from collections.abc import Callable
from uuid import UUID

from causeway import credentials
from causeway.audit_log import PLATFORM, Action, Entry, record
from causeway.credentials import KEPT, OVERLAP
from causeway.database import Database


def run(database: Database, may_go_on: Callable[[], bool]) -> dict[str, int]:
    """Retire and destroy what is due, until nothing is or time is up; what is left is found again by the next run.

    Args:
        database: whose login may read credentials.
        may_go_on: asked before each connection.

    Returns:
        How many versions were retired, and how many destroyed.
    """
    done = {"retired": 0, "destroyed": 0}
    with database.transaction(PLATFORM) as transaction:
        due = transaction.execute(
            "SELECT tenant_id::text, connection_id FROM credentials_due_v1(%s, %s)", [OVERLAP, KEPT]
        ).fetchall()
    for one in due:
        if not may_go_on():
            break
        with database.transaction(one.tenant_id) as transaction:
            expired = credentials.expire(transaction, one.connection_id)
            # The audit log comes last: from its first entry on, the tenant's other writers wait.
            for action, versions in (
                (Action.CREDENTIAL_RETIRED, expired.retired),
                (Action.CREDENTIAL_DESTROYED, expired.destroyed),
            ):
                if versions:
                    record(transaction, _entry(action, one.connection_id, versions))
        done["retired"] += len(expired.retired)
        done["destroyed"] += len(expired.destroyed)
    return done


def _entry(action: Action, connection_id: UUID, versions: list[int]) -> Entry:
    return Entry(
        action=action,
        actor_kind="system",
        actor="credential-retention",
        actor_role=None,
        object_kind="connection",
        object_id=str(connection_id),
        after={"versions": versions},
    )
