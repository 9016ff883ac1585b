"""The gate of a connection's calls: its circuit breaker, and the rate limits that its calls count in."""

from datetime import UTC, datetime, timedelta

from aws_lambda_powertools import Logger

from causeway.connections import breaker
from causeway.connections.connection import ConnectionRow
from causeway.errors.service import Unavailable
from causeway.outbound.attempts import Purpose
from causeway.platforms.kinds.limits import Signal
from causeway.rate_limits import limiter
from causeway.rate_limits.subjects import Subject
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
        app: the deployment's OAuth app that they are made with; None: another app, or none.
    """

    def __init__(
        self, context: Context, connection: ConnectionRow, purpose: Purpose, app: Subject | None = None
    ) -> None:
        self._context = context
        self._connection = connection
        self._reserved = purpose in _RESERVED
        self._tries = connection.circuit is not None and purpose != "health"
        self._subject = connection.limited
        self._app = app
        # A caller's call counts once for its key and tenant, however many calls to platforms it makes.
        self._once = list(context.uncounted)

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
        subjects = [self._subject, *self._once, *([] if self._app is None else [self._app])]
        limiter.take(database, subjects, reserved=self._reserved, tenant_id=tenant).require()
        self._once.clear()

    def learn(self, signal: Signal) -> None:
        """Take what an answer tells of the platform's limits: nobody asks until a wait is over.

        A wait for all users of the deployment's app holds all connections of this app, any other this connection.
        """
        wait, app_wait = signal.wait or 0.0, signal.app_wait or 0.0
        if self._app is not None and app_wait:
            self._hold(self._app, app_wait)
            if wait <= app_wait:
                return
        if wait:
            self._hold(self._subject, wait)

    def _hold(self, subject: Subject, seconds: float) -> None:
        try:
            until = datetime.now(UTC) + timedelta(seconds=seconds)
            limiter.correct(self._context.database, subject, 0, until, tenant_id=self._context.tenant)
        except Unavailable as error:
            logger.warning("A platform's limit could not be stored", extra={"reason": error.cause})
