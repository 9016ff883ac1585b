"""The health of a connection, as tests and calls observe it: healthy, degraded or down, with hysteresis.

Health is what was observed; whether a connection may be used is its status (causeway.connections.status).
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from causeway.connections.connection import Check, Health
from causeway.database.postgres import Transaction
from causeway.platforms.verdicts import Effect, Verdict

# Failures in a row that make a connection down. Waits that the platform asks for do not count.
FAILURES_TO_DOWN = 3
# Successes in a row that make it healthy. After them, one failure leaves it healthy; otherwise a failure makes it
# degraded. So health does not flap: a platform that fails rarely stays healthy, one that fails often degraded.
SUCCESSES_TO_HEALTHY = 3


@dataclass(frozen=True, slots=True)
class HealthState:
    """A connection's health, and the current run of failures and of successes, each at most 3."""

    health: Health
    failures: int = 0
    successes: int = 0


def next_state(before: HealthState | None, effect: Effect) -> HealthState:
    """Return the health after one more observation.

    Args:
        before: None if nothing was observed of these settings yet: then one success makes it healthy.
        effect: of a test or a call.
    """
    if effect is Effect.GOOD:
        successes = SUCCESSES_TO_HEALTHY if before is None else min(before.successes + 1, SUCCESSES_TO_HEALTHY)
        well = successes == SUCCESSES_TO_HEALTHY or (before is not None and before.health == "healthy")
        return HealthState("healthy" if well else "degraded", successes=successes)
    failures = (0 if before is None else before.failures) + (0 if effect is Effect.BUSY else 1)
    failures = min(failures, FAILURES_TO_DOWN)
    # Refused credentials, and a configuration that makes no call, need a person.
    lasting = effect in (Effect.REFUSED, Effect.UNUSABLE, Effect.UNAUTHORIZED)
    if lasting or failures == FAILURES_TO_DOWN or (before is not None and before.health == "down"):
        return HealthState("down", failures=failures)
    alone = before is not None and before.health == "healthy" and before.successes == SUCCESSES_TO_HEALTHY
    return HealthState("healthy" if alone else "degraded", failures=failures)


def save(
    transaction: Transaction, connection_id: UUID, verdict: Verdict, response_ms: int | None, *, fresh: bool = False
) -> Check:
    """Write an observation of a test or a call, and return it as ConnectionRow.last_check.

    Args:
        transaction: of the connection's tenant; it has locked the connection's row.
        connection_id: the connection.
        verdict: what was found.
        response_ms: milliseconds that the answer took; None: not measured.
        fresh: earlier observations were of other settings or credentials, and do not count.
    """
    now = next_state(None if fresh else _last(transaction, connection_id), verdict.effect)
    [row] = transaction.execute(
        """
        INSERT INTO integration_health AS h (
            tenant_id, connection_id, status, failures, successes, code, message, next_action, response_ms
        ) VALUES (current_tenant(), %s, %s, %s, %s, %s, %s, %s, %s)
        ON CONFLICT (tenant_id, connection_id) DO UPDATE
        SET status = excluded.status, failures = excluded.failures, successes = excluded.successes,
            changed_at = CASE WHEN h.status = excluded.status THEN h.changed_at ELSE excluded.changed_at END,
            code = excluded.code, message = excluded.message, next_action = excluded.next_action,
            response_ms = excluded.response_ms, checked_at = excluded.checked_at
        RETURNING jsonb_build_array(h.status, h.code, h.checked_at, h.failures, h.successes) AS last_check
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
    ).fetchall()
    return Check.of_json(row.last_check)


def would_change(last_check: Check | None, verdict: Verdict) -> bool:
    """Return whether one more observation would change the health or its code.

    Args:
        last_check: as ConnectionRow has it.
        verdict: the observation's.
    """
    before = state_of(last_check)
    code = None if last_check is None else last_check.code
    return (next_state(before, verdict.effect), verdict.code) != (before, code)


def state_of(last_check: Check | None) -> HealthState | None:
    """Return the health that ConnectionRow.last_check tells; None: nothing was observed."""
    if last_check is None:
        return None
    return HealthState(last_check.health, last_check.failures, last_check.successes)


def _last(transaction: Transaction, connection_id: UUID) -> HealthState | None:
    """Return the health as it is now: the connection's row was read before its lock was free."""
    row = transaction.execute(
        """
        SELECT status, failures, successes FROM integration_health
        WHERE tenant_id = current_tenant() AND connection_id = %s
        """,
        [connection_id],
    ).fetchone()
    return None if row is None else HealthState(row.status, row.failures, row.successes)


def observed(transaction: Transaction, connection_id: UUID) -> Any:
    """Return the row of a connection's health as the last observation left it; None if nothing was observed."""
    return transaction.execute(
        """
        SELECT status, code, message, next_action, response_ms, checked_at, changed_at FROM integration_health
        WHERE tenant_id = current_tenant() AND connection_id = %s
        """,
        [connection_id],
    ).fetchone()
