"""How a connection's platform is observed to be: healthy, degraded or down, with hysteresis, and never flapping.

Health is what is observed; whether a connection may be used is its status, which causeway.connections.standing sets.
"""

from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from causeway.connections.connection import Connection
from causeway.database.postgres import Transaction
from causeway.errors.connections import IntegrationNotActive
from causeway.platforms.verdicts import Finding, Verdict

Health = Literal["healthy", "degraded", "down"]

# So many failures in a row make a connection down. Waits that the platform asks for do not count among them.
FAILURES_TO_DOWN = 3
# So many successes in a row make it healthy. A failure after that many leaves it healthy; one after fewer makes it
# degraded. So a platform that fails now and then is healthy all the time, one that fails often degraded all the time.
SUCCESSES_TO_HEALTHY = 3


@dataclass(frozen=True, slots=True)
class Observed:
    """What was observed so far: the health, and the last failures and successes in a row, as far as they count."""

    health: Health
    failures: int = 0
    successes: int = 0


def observed(before: Observed | None, finding: Finding) -> Observed:
    """Return the health after one more observation.

    Args:
        before: None where nothing was observed yet, or of other settings: then a success makes healthy at once.
        finding: what a test or a call found.
    """
    if finding is Finding.GOOD:
        successes = SUCCESSES_TO_HEALTHY if before is None else min(before.successes + 1, SUCCESSES_TO_HEALTHY)
        well = successes == SUCCESSES_TO_HEALTHY or (before is not None and before.health == "healthy")
        return Observed("healthy" if well else "degraded", successes=successes)
    failures = (0 if before is None else before.failures) + (0 if finding is Finding.BUSY else 1)
    failures = min(failures, FAILURES_TO_DOWN)
    # Refused credentials, and settings that make no call, do not pass by themselves.
    lasting = finding in (Finding.REFUSED, Finding.UNUSABLE)
    if lasting or failures == FAILURES_TO_DOWN or (before is not None and before.health == "down"):
        return Observed("down", failures=failures)
    alone = before is not None and before.health == "healthy" and before.successes == SUCCESSES_TO_HEALTHY
    return Observed("healthy" if alone else "degraded", failures=failures)


def note(
    transaction: Transaction, connection_id: UUID, verdict: Verdict, response_ms: int | None, *, anew: bool = False
) -> None:
    """Keep an observation: a test's, or a call's.

    Args:
        transaction: of the connection's tenant; it has locked the connection's row.
        connection_id: the connection.
        verdict: what was found.
        response_ms: milliseconds that the answer took; None: not measured.
        anew: what was observed before was of other settings or credentials, and does not count.
    """
    now = observed(None if anew else _last(transaction, connection_id)[0], verdict.finding)
    transaction.execute(
        """
        INSERT INTO integration_health AS h (
            tenant_id, connection_id, status, failures, successes, code, message, next_action, response_ms
        ) VALUES (current_tenant(), %s, %s, %s, %s, %s, %s, %s, %s)
        ON CONFLICT (tenant_id, connection_id) DO UPDATE
        SET status = excluded.status, failures = excluded.failures, successes = excluded.successes,
            changed_at = CASE WHEN h.status = excluded.status THEN h.changed_at ELSE excluded.changed_at END,
            code = excluded.code, message = excluded.message, next_action = excluded.next_action,
            response_ms = excluded.response_ms, checked_at = excluded.checked_at
        """,
        [
            connection_id,
            now.health,
            now.failures,
            now.successes,
            verdict.code,
            verdict.message,
            verdict.next_action,
            response_ms,
        ],
    )


def is_news(transaction: Transaction, connection_id: UUID, verdict: Verdict) -> bool:
    """Return whether one more observation would change anything: calls that change nothing write nothing."""
    last, code = _last(transaction, connection_id)
    return (observed(last, verdict.finding), verdict.code) != (last, code)


def _last(transaction: Transaction, connection_id: UUID) -> tuple[Observed | None, str | None]:
    """Return what was observed last, and the code of its verdict."""
    row = transaction.execute(
        """
        SELECT status, failures, successes, code FROM integration_health
        WHERE tenant_id = current_tenant() AND connection_id = %s
        """,
        [connection_id],
    ).fetchone()
    return (None, None) if row is None else (Observed(row.status, row.failures, row.successes), row.code)


def shown(transaction: Transaction, connection: Connection) -> dict[str, Any]:
    """Return how a connection was observed last, in the API's names; one that cannot be used is shown as down."""
    row = transaction.execute(
        """
        SELECT status, code, message, next_action, response_ms, checked_at, changed_at FROM integration_health
        WHERE tenant_id = current_tenant() AND connection_id = %s
        """,
        [connection.connection_id],
    ).fetchone()
    return {
        "id": connection.connection_id,
        "name": connection.name,
        "type": connection.provider_key,
        "status": connection.shown_status,
        "isActive": connection.use_error is None,
        "lastSync": None if connection.last_sync_at is None else connection.last_sync_at.isoformat(),
        "errorMessage": connection.shown_error,
        "checks": {"connection": None if row is None else _check(connection, row)},
    }


def _check(connection: Connection, row: Any) -> dict[str, Any]:
    check = {
        "status": row.status,
        "code": row.code,
        "message": row.message,
        "nextAction": row.next_action,
        "responseMs": row.response_ms,
        "checkedAt": row.checked_at.isoformat(),
        "changedAt": row.changed_at.isoformat(),
    }
    stopped = connection.use_error
    # IntegrationNotActive has its reason in the observation: show that.
    if stopped is None or isinstance(stopped, IntegrationNotActive):
        return check
    return check | {"status": "down", "code": stopped.code, "message": stopped.sentence, "nextAction": stopped.action}
