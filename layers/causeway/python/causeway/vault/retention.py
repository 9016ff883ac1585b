"""The retention of replaced credentials: a schedule ends their overlap, and destroys their ciphertexts later."""

from typing import Any
from uuid import UUID

from causeway.audit_log.entries import Action, record
from causeway.jobs.due import for_each_due
from causeway.jobs.invocations import Invocation
from causeway.tenancy.context import JobContext
from causeway.vault import versions
from causeway.vault.versions import Expired


def run(invocation: Invocation, counts: dict[str, int]) -> None:
    """Retire and destroy everything that is due, within the time budget.

    Args:
        invocation: of a login that may read credentials.
        counts: filled as the work is done, so that it is right also if this raises. The numbers of versions retired and
            destroyed, and of connections that failed, for example because another transaction had locked their rows.

    Raises:
        Unavailable: what is due cannot be read.
        Exception: as jobs.due.for_each_due.
    """
    counts |= {"retired": 0, "destroyed": 0, "failed": 0}

    def expire(context: JobContext, connection: Any) -> None:
        expired = _expire(context, connection.connection_id)
        counts["retired"] += len(expired.retired)
        counts["destroyed"] += len(expired.destroyed)

    for_each_due(invocation, "credential-retention", versions.due, expire, counts)


def _expire(context: JobContext, connection_id: UUID) -> Expired:
    with context.transaction() as transaction:
        expired = versions.expire(transaction, connection_id)
        # The audit entries come last: from the first one on, other writers of the tenant's audit log wait.
        for action, changed in (
            (Action.CREDENTIAL_RETIRED, expired.retired),
            (Action.CREDENTIAL_DESTROYED, expired.destroyed),
        ):
            if changed:
                about = {"object_kind": "connection", "object_id": str(connection_id), "after": {"versions": changed}}
                record(transaction, context.entry(action, **about))
    return expired
