"""The circuit breaker of a connection: a platform that fails often is left alone for a while, then tried by one call.

It opens when FAILURES calls of the last WINDOW failed, and at least half of all. After a pause one call tries the
platform (half-open): its success closes the breaker, its failure opens it again, and the next pause is twice as long.

Failures are counted in the API log, so calls that succeed write nothing. Those before the last change of state do not
count: a breaker that has just closed opens on new failures alone. The state is read with the connection. Tests of a
connection pass an open breaker, as people want to know whether the platform works again.
"""

from collections.abc import Sequence
from datetime import timedelta
from math import ceil
from typing import Any
from uuid import UUID

from causeway.connections import faults
from causeway.connections.connection import ConnectionRow
from causeway.database.postgres import Transaction
from causeway.errors.platforms import CircuitOpen
from causeway.events import outbox
from causeway.events.outbox import Event
from causeway.outbound.attempts import Attempt

WINDOW = timedelta(seconds=60)
FAILURES = 10
# Of a connection with more calls in the window than this, only the newest are counted.
_MOST_COUNTED = 100
# Seconds that the breaker stays open, the first time and at most.
_FIRST_PAUSE = 10
_LONGEST_PAUSE = 300
# The call that tries the platform has so many seconds to report; then the next one may try.
_PROBE_SECONDS = 30


def check(connection: ConnectionRow) -> None:
    """Raise CircuitOpen if the connection's breaker lets no call pass now."""
    if connection.circuit is not None:
        left = ceil(connection.circuit.seconds)
        if left > 0:
            raise CircuitOpen(retry_after=left)


def try_platform(transaction: Transaction, connection_id: UUID) -> None:
    """Take the right to the one call that tries the platform of an open breaker.

    Args:
        transaction: of the connection's tenant.
        connection_id: the connection; its breaker was not closed when it was read.

    Raises:
        CircuitOpen: another call tries it now.
    """
    row = transaction.execute(
        """
        WITH taken AS (
            UPDATE circuit_breakers SET state = 'half_open', retry_at = now() + %(probe)s,
                changed_at = CASE WHEN state = 'open' THEN now() ELSE changed_at END
            WHERE tenant_id = current_tenant() AND connection_id = %(connection)s AND state <> 'closed'
                AND retry_at <= now()
            RETURNING true
        )
        SELECT extract(epoch FROM b.retry_at - now()) AS seconds FROM circuit_breakers AS b
        WHERE b.tenant_id = current_tenant() AND b.connection_id = %(connection)s AND b.state <> 'closed'
            AND NOT EXISTS (SELECT FROM taken)
        """,
        {"connection": connection_id, "probe": timedelta(seconds=_PROBE_SECONDS)},
    ).fetchone()
    if row is not None:
        # 0 and less: the row changed between the two reads.
        raise CircuitOpen(retry_after=max(ceil(row.seconds), 1))


def may_change(connection: ConnectionRow, attempts: Sequence[Attempt], *, trying: bool) -> bool:
    """Return whether settle may have something to write; without a database. The arguments are those of settle."""
    fault = faults.last_shown(attempts)
    return trying or fault is True or (fault is False and connection.circuit is not None)


def settle(transaction: Transaction, connection: ConnectionRow, attempts: Sequence[Attempt], *, trying: bool) -> None:
    """Open or close a connection's breaker by the attempts of calls, which the API log has already.

    Args:
        transaction: of the connection's tenant.
        connection: as it was when the calls began.
        attempts: of calls with the connection as it is.
        trying: they had the right to try the platform.
    """
    match faults.last_shown(attempts):
        case None if trying:
            _give_back(transaction, connection)
        case False if connection.circuit is not None:
            _close(transaction, connection)
        case True if connection.circuit is not None:
            _open_again(transaction, connection)
        case True:
            _open_if_often(transaction, connection)


def _open_if_often(transaction: Transaction, connection: ConnectionRow) -> None:
    row = transaction.execute(
        """
        INSERT INTO circuit_breakers AS b (tenant_id, connection_id, state, retry_at)
        SELECT current_tenant(), %(connection)s, 'open', now() + %(pause)s
        FROM (
            SELECT platform_failed AS failed FROM integration_api_logs
            WHERE tenant_id = current_tenant() AND connection_id = %(connection)s AND created_at > now() - %(window)s
                AND attempt = attempts AND platform_failed IS NOT NULL
                AND created_at > coalesce(
                    (
                        SELECT changed_at FROM circuit_breakers
                        WHERE tenant_id = current_tenant() AND connection_id = %(connection)s
                    ), '-infinity'
                )
            ORDER BY created_at DESC, log_id DESC LIMIT %(most)s
        ) AS calls
        HAVING count(*) FILTER (WHERE failed) >= greatest(%(failures)s, count(*) / 2.0)
        ON CONFLICT (tenant_id, connection_id) DO UPDATE
        SET state = 'open', openings = 1, retry_at = excluded.retry_at, changed_at = now()
        WHERE b.state = 'closed'
        RETURNING true
        """,
        {
            "connection": connection.connection_id,
            "pause": timedelta(seconds=_FIRST_PAUSE),
            "window": WINDOW,
            "most": _MOST_COUNTED,
            "failures": FAILURES,
        },
    ).fetchone()
    if row is not None:
        _tell(transaction, connection, "circuit_opened")


def _open_again(transaction: Transaction, connection: ConnectionRow) -> None:
    """Open a half-open breaker after the call that tried the platform failed; an open one stays as it is."""
    transaction.execute(
        """
        UPDATE circuit_breakers SET state = 'open', openings = openings + 1, changed_at = now(),
            retry_at = now() + make_interval(secs => least(%(longest)s, %(first)s * 2 ^ least(openings, 10)))
        WHERE tenant_id = current_tenant() AND connection_id = %(connection)s AND state = 'half_open'
        """,
        {"connection": connection.connection_id, "first": _FIRST_PAUSE, "longest": _LONGEST_PAUSE},
    )


def _give_back(transaction: Transaction, connection: ConnectionRow) -> None:
    """Let the next call try the platform, as this one has sent it nothing."""
    transaction.execute(
        """
        UPDATE circuit_breakers SET retry_at = now()
        WHERE tenant_id = current_tenant() AND connection_id = %s AND state = 'half_open'
        """,
        [connection.connection_id],
    )


def _close(transaction: Transaction, connection: ConnectionRow) -> None:
    row = transaction.execute(
        """
        UPDATE circuit_breakers SET state = 'closed', openings = 0, changed_at = now()
        WHERE tenant_id = current_tenant() AND connection_id = %s AND state <> 'closed'
        RETURNING true
        """,
        [connection.connection_id],
    ).fetchone()
    if row is not None:
        _tell(transaction, connection, "circuit_closed")


def _tell(transaction: Transaction, connection: ConnectionRow, what: str) -> None:
    payload: dict[str, Any] = {"connectionId": connection.connection_id, "provider": connection.provider_key}
    outbox.write(
        transaction,
        Event("connection", what, "connection", str(connection.connection_id), connection.version, payload),
    )
