"""The end of replaced credentials: their overlap ends, and their ciphertexts are destroyed later."""

from typing import Any
from uuid import UUID

import psycopg

from causeway.audit_log import Action, record
from causeway.jobs.invocations import Invocation
from causeway.jobs.tenants import for_each_due
from causeway.tenancy.context import JobContext
from causeway.vault import credentials
from causeway.vault.credentials import KEPT, OVERLAP, Expired


def run(invocation: Invocation) -> dict[str, int]:
    """Retire and destroy what is due, until nothing is or the time budget is used up.

    Args:
        invocation: of a login that may read credentials.

    Returns:
        How many versions were retired and destroyed, and with how many connections the database refused, for example
        because another transaction had locked their rows.

    Raises:
        Unavailable: what is due cannot be read.
    """
    done = {"retired": 0, "destroyed": 0, "failed": 0}

    def expire(connection: Any) -> None:
        context = invocation.job("credential-retention", connection.tenant_id)
        expired = _expire(context, connection.connection_id)
        done["retired"] += len(expired.retired)
        done["destroyed"] += len(expired.destroyed)

    done["failed"] = for_each_due(invocation, _due, expire)
    return done


def _due(transaction: psycopg.Connection[Any]) -> list[Any]:
    return transaction.execute(
        "SELECT tenant_id, connection_id FROM credentials_due_v1(%s, %s)", [OVERLAP, KEPT]
    ).fetchall()


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
