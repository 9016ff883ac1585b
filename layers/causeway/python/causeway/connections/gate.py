"""The gate of a connection's calls: its circuit breaker, and the rate limits that its calls count in."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from aws_lambda_powertools import Logger

from causeway.connections import breaker
from causeway.connections.connection import ConnectionRow
from causeway.errors.service import Unavailable
from causeway.outbound.attempts import Attempt, Purpose
from causeway.platforms.kinds.limits import Signal
from causeway.rate_limits import limiter
from causeway.rate_limits.decisions import Decision
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
        purpose: of the calls. Those for "health" pass an open breaker, and a wait that the platform told: so a person
            can find out whether they still hold.
        app: the deployment's OAuth app that they are made with; None: another app, or none.
        learns: the calls are made with the connection as it is.

    Attributes:
        tries: the calls have the right to try the platform of an open breaker.
    """

    def __init__(
        self,
        context: Context,
        connection: ConnectionRow,
        purpose: Purpose,
        app: Subject | None = None,
        *,
        learns: bool = True,
    ) -> None:
        self.tries = False
        self._context = context
        self._connection = connection
        self._reserved = purpose in _RESERVED
        self._is_test = purpose == "health"
        self._must_try = connection.circuit is not None and not self._is_test
        self._learns = learns
        # The end of the platform's wait that a test has passed.
        self._passed_until: datetime | None = None
        self._subject = connection.limited
        self._app = app
        # A caller's call counts once for its key and tenant, however many calls to platforms it makes.
        self._once = list(context.uncounted)

    def admit(self) -> None:
        """Let one attempt pass, and count it by one statement; another one takes the right to try the platform.

        The right to try the platform comes last, so that a full limit does not take it.

        Raises:
            CircuitOpen: the connection's breaker is open, or another call tries the platform now.
            RateLimitExceeded: a window of a limit is full.
            Unavailable: the database does not answer.
        """
        database, tenant = self._context.database, self._context.tenant
        subjects = [self._subject, *self._once, *([] if self._app is None else [self._app])]
        decision = limiter.take(database, subjects, reserved=self._reserved, tenant_id=tenant)
        until = _held_until(decision)
        if self._is_test and until is not None:
            self._passed_until = until
        else:
            decision.require()
            self._once.clear()
        if self._must_try:
            with self._context.transaction() as transaction:
                breaker.try_platform(transaction, self._connection.connection_id)
            self._must_try, self.tries = False, True

    def learn(self, signal: Signal) -> None:
        """Take what an answer tells of the platform's limits: nobody asks until a wait is over.

        A wait for all users of the deployment's app holds all connections of this app, any other this connection.
        """
        if not self._learns:
            return
        wait, app_wait = signal.wait or 0.0, signal.app_wait or 0.0
        if self._app is not None and app_wait:
            self._hold(self._app, app_wait)
            if wait <= app_wait:
                return
        if wait:
            self._hold(self._subject, wait)
            self._passed_until = None

    def settle(self, attempts: Sequence[Attempt]) -> None:
        """End a wait that a test has passed, if the platform has carried out its call and tells no other wait.

        Args:
            attempts: of calls with the connection as it is.
        """
        until = self._passed_until
        if until is None or not attempts or not 200 <= (attempts[-1].status or 0) < 300:
            return
        try:
            limiter.release(self._context.database, self._subject, until, tenant_id=self._context.tenant)
        except Unavailable as error:
            logger.warning("A platform's wait could not be ended", extra={"reason": error.cause})

    def _hold(self, subject: Subject, seconds: float) -> None:
        try:
            wait = timedelta(seconds=seconds)
            limiter.correct(self._context.database, subject, 0, wait, tenant_id=self._context.tenant)
        except Unavailable as error:
            logger.warning("A platform's limit could not be stored", extra={"reason": error.cause})


def _held_until(decision: Decision) -> datetime | None:
    """Return the end of the platform's wait, if nothing but a wait of this connection refuses a request."""
    full = {(window.kind, window.name): window.reset_at for window in decision.windows if window.remaining == 0}
    held = not decision.allowed and set(full) == {("connection", "platform")}
    return full["connection", "platform"] if held else None
