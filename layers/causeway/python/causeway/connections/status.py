"""The status of a connection: how tests and calls change it, and the health with it.

Status says whether a connection may be used; health is what was observed (causeway.connections.health):

- Only a successful test makes it active.
- Refused credentials make it error: in a test always, in any other call if it was active.
- A configuration that makes no call makes it error if it never worked.
- Any other fault changes only its health: an active connection stays active, one that never worked stays pending.
- A disabled connection stays disconnected, whatever a test shows.

An observation of another version changes nothing: every change of settings or credentials makes a new version.
"""

from collections.abc import Sequence
from dataclasses import replace

from causeway.connections import health, rows, writes
from causeway.connections.connection import ConnectionRow
from causeway.database.postgres import Transaction
from causeway.errors.vault import CredentialMissing, CredentialUnreadable
from causeway.platforms.verdicts import Effect, Verdict


def save_test(
    transaction: Transaction,
    seen: ConnectionRow,
    verdict: Verdict,
    response_ms: int,
    *,
    fresh: bool,
) -> ConnectionRow | None:
    """Write a connection's status and health by a test.

    Args:
        transaction: of the connection's tenant.
        seen: the connection as it was when the test began.
        verdict: the test's.
        response_ms: milliseconds that it took.
        fresh: its settings or credentials are new, so earlier observations do not count.

    Returns:
        The connection as it is now; None if it is no longer the version that was tested.
    """
    connection_id = seen.connection_id
    before = rows.lock_version(transaction, connection_id, seen.version)
    if before is None:
        return None
    # A success that began before a refusal does not undo it.
    if verdict.effect is Effect.GOOD and before.status == "error" and before.status_changes != seen.status_changes:
        return before
    now = _save_status(transaction, before, verdict)
    became_active = now.status == "active" and before.status != "active"
    last_check = health.save(transaction, connection_id, verdict, response_ms, fresh=fresh or became_active)
    return replace(now, last_check=last_check)


def would_change(connection: ConnectionRow, verdict: Verdict) -> bool:
    """Return whether saving a call's verdict would change status or health, as they were when the call began."""
    return verdict.effect is Effect.REFUSED or health.would_change(connection.last_check, verdict)


def save_calls(transaction: Transaction, connection: ConnectionRow, verdicts: Sequence[Verdict]) -> None:
    """Write the verdicts of calls other than tests, in their order.

    Callers of a failing platform must not queue for the connection's row: if another transaction has locked it, skip,
    as that transaction writes the same. A refusal waits for the lock, because it changes the status.
    """
    connection_id = connection.connection_id
    refused = any(verdict.effect is Effect.REFUSED for verdict in verdicts)
    now = rows.lock_version(transaction, connection_id, connection.version, wait=refused)
    for verdict in verdicts:
        # An old success does not undo a later refusal.
        if now is None or now.status != "active":
            return
        if verdict.effect is Effect.REFUSED:
            now = _save_status(transaction, now, verdict)
        if health.would_change(now.last_check, verdict):
            now = replace(now, last_check=health.save(transaction, connection_id, verdict, None))


def save_unreadable(
    transaction: Transaction, connection: ConnectionRow, error: CredentialMissing | CredentialUnreadable
) -> None:
    """Write that a connection's credential in use cannot be decrypted: its status becomes error."""
    now = rows.lock_version(transaction, connection.connection_id, connection.version)
    if now is not None:
        status = now.status if now.status == "disconnected" else "error"
        writes.set_status(transaction, now, status, error.code, f"{error.sentence}. {error.action}")


def _save_status(transaction: Transaction, before: ConnectionRow, verdict: Verdict) -> ConnectionRow:
    """Write the status that a verdict gives, if it changes. An error keeps its first reason until a test succeeds."""
    lasting = verdict.effect in (Effect.REFUSED, Effect.UNUSABLE)
    match verdict.effect, before.status:
        case Effect.GOOD, status:
            wanted = "disconnected" if status == "disconnected" else "active", None, None
        case Effect.UNAUTHORIZED, status:
            wanted = "disconnected" if status == "disconnected" else "pending", verdict.code, verdict.sentences
        case Effect.REFUSED, status:
            wanted = "disconnected" if status == "disconnected" else "error", verdict.code, verdict.sentences
        case _, "pending":
            wanted = "error" if lasting else "pending", verdict.code, verdict.sentences
        case _, status:
            wanted = status, before.error_code, before.error_message
    # Write each refusal, also a repeated one: it counts status_changes up, so a success that began earlier is ignored.
    same = wanted == (before.status, before.error_code, before.error_message)
    if same and verdict.effect is not Effect.REFUSED:
        return before
    return writes.set_status(transaction, before, *wanted)
