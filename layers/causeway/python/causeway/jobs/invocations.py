"""One invocation of a function that a queue or a schedule calls: its time budget, its leases, its jobs."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from time import sleep
from typing import Any, Self
from uuid import UUID

from causeway.aws.counts import published
from causeway.database import postgres
from causeway.database.postgres import Database
from causeway.errors.service import Unavailable
from causeway.outbound.deadlines import Deadline
from causeway.tenancy.context import JobContext

# The clocks of Lambda and of the database may differ by this much.
CLOCK_MARGIN = timedelta(seconds=10)
# Seconds that an invocation waits for its database. A paused one is awake within about 15:
# https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2-auto-pause.html
_WAKING = 30.0
# Seconds between two attempts.
_PAUSE = 0.5


@dataclass(frozen=True, slots=True)
class TimeBudget:
    """The time that an invocation has left.

    Attributes:
        remaining: returns the milliseconds until Lambda ends the invocation.
        reserve: milliseconds that are kept for finishing what was begun; no new work begins in them.
    """

    remaining: Callable[[], int]
    reserve: int = 0

    def has_time(self) -> bool:
        """Return whether new work may begin."""
        return self.remaining() > self.reserve

    def lease(self) -> timedelta:
        """Return how long a row must be leased to this invocation.

        The invocation is certainly over when such a lease has run out: another worker may then take the row.
        """
        return timedelta(milliseconds=self.remaining()) + CLOCK_MARGIN


@dataclass(frozen=True, slots=True)
class Invocation:
    """One invocation of a job's function.

    Attributes:
        database: of the function's login.
        request_id: Lambda's id of the invocation; logs and audit entries carry it.
        budget: the time that is left.
    """

    database: Database
    request_id: str
    budget: TimeBudget

    @classmethod
    def of(cls, context: Any, reserve: int = 0) -> Self:
        """Return the invocation that Lambda describes.

        Args:
            context: Lambda's context object.
            reserve: milliseconds, as in TimeBudget.
        """
        budget = TimeBudget(context.get_remaining_time_in_millis, reserve)
        return cls(postgres.current(), context.aws_request_id, budget)

    def job(self, name: str, tenant_id: UUID) -> JobContext:
        """Return the context of a job at work in a tenant. name: what the audit log shows as the actor."""
        return JobContext(name, tenant_id, self.request_id, self.database)

    def wait_for_database(self) -> None:
        """Ask the database until it answers: a paused one needs longer to wake than a statement may wait.

        After half a minute, or without time for new work, it is left to the work to fail with the cause.

        Raises:
            CausewayError: waiting does not mend it, such as a missing setting.
        """
        deadline = Deadline(_WAKING)
        while deadline.left() and self.budget.has_time():
            try:
                self.database.within(deadline).one("SELECT 1", [])
            except Unavailable:
                sleep(_PAUSE)
            else:
                return


@contextmanager
def of_schedule(context: Any, reserve: int, *, uses_database: bool = True) -> Generator[Invocation]:
    """Give a schedule's call its invocation; at the end publish what it counted, and end its database session.

    It first waits until the database is awake, at most half a minute. Until the next call the session would only keep
    a database awake that could pause.

    Args:
        context: Lambda's context object.
        reserve: milliseconds, as in TimeBudget.
        uses_database: whether the function has a database.

    Raises:
        CausewayError: the database cannot be used for a reason that waiting does not mend, such as a missing setting.
    """
    invocation = Invocation.of(context, reserve)
    with published(context, "JobNearTimeLimit", reserve):
        try:
            if uses_database:
                invocation.wait_for_database()
            yield invocation
        finally:
            invocation.database.close()
