"""The gate of a connection's calls: its circuit breaker, and the rate limits that its calls count in."""

from datetime import UTC, datetime, timedelta

from aws_lambda_powertools import Logger

from causeway.connections import breaker
from causeway.connections.connection import ConnectionRow
from causeway.errors.service import Unavailable
from causeway.outbound.attempts import Purpose
from causeway.platforms.kinds.limits import Signal
from causeway.rate_limits import limiter
from causeway.tenancy.context import Context

logger = Logger(child=True)

# The purposes that may use the reserve of a limit.
_RESERVED: frozenset[Purpose] = frozenset(("payment", "message"))


class ConnectionGate:
    """Lets the calls of one piece of work pass; a causeway.platforms.gate.Gate.

    Args:
        context: who makes the calls.
        connection: as it was read when the work began.
        purpose: of the calls. Those for "health" pass an open breaker.
    """

    def __init__(self, context: Context, connection: ConnectionRow, purpose: Purpose) -> None:
        self._context = context
        self._connection = connection
        self._reserved = purpose in _RESERVED
        self._tries = connection.circuit is not None and purpose != "health"
        self._subject = connection.limited

    def admit(self) -> None:
        """Let one attempt pass, and count it: one statement.

        Raises:
            CircuitOpen: the connection's breaker is open, or another call tries the platform now.
            RateLimitExceeded: a window of a limit is full.
            Unavailable: the database does not answer.
        """
        if self._tries:
            with self._context.transaction() as transaction:
                breaker.try_platform(transaction, self._connection.connection_id)
            self._tries = False
        database, tenant = self._context.database, self._context.tenant
        limiter.take(database, [self._subject], reserved=self._reserved, tenant_id=tenant).require()

    def learn(self, signal: Signal) -> None:
        """Take what an answer tells of the platform's limits: nobody asks until a wait is over."""
        if not signal.wait:
            return
        try:
            until = datetime.now(UTC) + timedelta(seconds=signal.wait)
            limiter.correct(self._context.database, self._subject, 0, until, tenant_id=self._context.tenant)
        except Unavailable as error:
            logger.warning("A platform's limit could not be stored", extra={"reason": error.cause})
