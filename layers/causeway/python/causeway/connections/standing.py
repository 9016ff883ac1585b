"""What a connection's status becomes by what is seen of its platform, and its health with it.

status says whether a connection may be used, health what is observed (causeway.connections.health):

- a test that succeeds makes it active, and nothing else does;
- refused credentials make it error, from wherever they are seen;
- settings that make no call make it error where it never worked;
- any other fault changes its health alone: one that is active stays so, one that never worked stays pending.

What was seen of another version changes nothing: each change of settings or credentials counts the version up.
"""

from collections.abc import Sequence
from uuid import UUID

from causeway.connections import health, rows, writes
from causeway.connections.connection import Connection
from causeway.database.postgres import Transaction
from causeway.errors.vault import CredentialMissing, CredentialUnreadable
from causeway.platforms.verdicts import Finding, Verdict


def settle(
    transaction: Transaction,
    seen: Connection,
    verdict: Verdict,
    response_ms: int,
    *,
    anew: bool = False,
) -> Connection | None:
    """Set a connection's status and health by a test.

    Args:
        transaction: of the connection's tenant.
        seen: the connection as it was when the test began.
        verdict: the test's.
        response_ms: milliseconds that it took.
        anew: its settings or credentials are new, so that what was observed before does not count.

    Returns:
        The connection as it is now; None where it is no longer the version that was tested.
    """
    connection_id = UUID(seen.connection_id)
    before = rows.lock_version(transaction, connection_id, seen.version)
    if before is None:
        return None
    # An old success does not bring back what was refused since it began.
    if verdict.finding is Finding.GOOD and before.status == "error" and before.status_changes != seen.status_changes:
        return before
    now = _changed(transaction, before, verdict)
    fresh = anew or (now.status == "active" and before.status != "active")
    health.note(transaction, connection_id, verdict, response_ms, anew=fresh)
    return now


def is_news(transaction: Transaction, connection: Connection, verdict: Verdict) -> bool:
    """Return whether a call's verdict says more of a connection than is known; it locks nothing."""
    refused = verdict.finding is Finding.REFUSED
    return refused or health.is_news(transaction, UUID(connection.connection_id), verdict)


def observe(transaction: Transaction, connection: Connection, verdicts: Sequence[Verdict]) -> None:
    """Note what calls that were made with a connection, other than a test, have shown of it, in their order.

    Callers of a platform that fails do not queue behind the connection's row: where another transaction has it, what
    it notes stands for these. A refusal waits for it, because it changes the status.
    """
    connection_id = UUID(connection.connection_id)
    refused = any(verdict.finding is Finding.REFUSED for verdict in verdicts)
    now = rows.lock_version(transaction, connection_id, connection.version, wait=refused)
    for verdict in verdicts:
        # An old success does not bring back what was refused since.
        if now is None or now.status != "active":
            return
        if verdict.finding is Finding.REFUSED:
            now = _changed(transaction, now, verdict)
        if health.is_news(transaction, connection_id, verdict):
            health.note(transaction, connection_id, verdict, None)


def unopened(transaction: Transaction, connection: Connection, error: CredentialMissing | CredentialUnreadable) -> None:
    """Note that a connection's credential in use cannot be opened, so that it is not shown as one that works."""
    now = rows.lock_version(transaction, UUID(connection.connection_id), connection.version)
    if now is not None:
        status = now.status if now.status == "disconnected" else "error"
        writes.set_status(transaction, now, status, error.code, f"{error.sentence}. {error.action}")


def _changed(transaction: Transaction, before: Connection, verdict: Verdict) -> Connection:
    """Change the status by a verdict, where it changes; an error's own reason stays until a test succeeds."""
    lasting = verdict.finding in (Finding.REFUSED, Finding.UNUSABLE)
    match verdict.finding, before.status:
        case Finding.GOOD, status:
            wanted = "disconnected" if status == "disconnected" else "active", None, None
        case Finding.REFUSED, status:
            wanted = "disconnected" if status == "disconnected" else "error", verdict.code, verdict.sentences
        case _, "pending":
            wanted = "error" if lasting else "pending", verdict.code, verdict.sentences
        case _, status:
            wanted = status, before.error_code, before.error_message
    # Each refusal counts, also of what was refused before: a success that began in between is older.
    same = wanted == (before.status, before.error_code, before.error_message)
    if same and verdict.finding is not Finding.REFUSED:
        return before
    return writes.set_status(transaction, before, *wanted)
