"""The limiter: takes a request from all windows of its subjects by one statement, or from none of them.

A request is refused by a Decision, not by an exception. The database counts, so that all execution environments share
what is left.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, LiteralString
from uuid import UUID

from causeway.aws.counts import count
from causeway.database.postgres import Database, Transaction
from causeway.rate_limits.decisions import Decision
from causeway.rate_limits.limits import MOST, WINDOWS
from causeway.rate_limits.subjects import Subject

# A metric with an alarm: windows that refused their first request, of limits that the operator sets.
EXCEEDED = "RateLimitsExceeded"

# With the parameters of Asked.
TAKE: LiteralString = """
    rate_limit_take_v1(
        p_tenant_id => %(limits_tenant_id)s, p_kinds => %(limits_kinds)s::text[],
        p_subject_ids => %(limits_ids)s::text[], p_minutes => %(limits_minute)s::bigint[],
        p_hours => %(limits_hour)s::bigint[], p_days => %(limits_day)s::bigint[],
        p_months => %(limits_month)s::bigint[], p_cost => %(limits_cost)s, p_take => %(limits_take)s,
        p_now => %(limits_now)s
    )
"""
_TAKE: LiteralString = f"SELECT {TAKE}"
# Single values in their order, because arrays and names cost as much as the UPDATE.
_TAKE_ONE: LiteralString = "SELECT rate_limit_take_one_v1(%s, %s, %s, %s, %s, %s, %s, %s, %s)"
_CORRECT: LiteralString = """
    SELECT rate_limit_correct_v1(
        p_tenant_id => %(tenant_id)s, p_kind => %(kind)s, p_subject_id => %(id)s, p_remaining => %(remaining)s,
        p_until => clock_timestamp() + %(wait)s
    )
"""
_RELEASE: LiteralString = """
    UPDATE rate_limits SET told_remaining = NULL, told_until = NULL, exceeded = exceeded & 15
    WHERE tenant_id = rate_limit_tenant(%(kind)s) AND kind = %(kind)s AND subject_id = %(id)s AND told_until = %(until)s
"""


def take(
    session: Transaction | Database,
    subjects: Sequence[Subject],
    cost: int = 1,
    *,
    reserved: bool = False,
    tenant_id: UUID | None = None,
    now: datetime | None = None,
) -> Decision:
    """Take a request from all windows of all subjects, or from none.

    With a Database this is one round trip and a transaction of its own, whose commit does not wait for the disk: a
    crash of the server may lose the counts of the last 0.6 seconds. In a Transaction the subjects' rows stay locked
    until it ends, and other requests of the same subjects wait.

    Args:
        session: a database, or a transaction of the tenant.
        subjects: at least one; each kind and id once.
        cost: how many requests it counts for, 1 or more.
        reserved: whether it may use the reserve for payments and messages.
        tenant_id: with a Database: the tenant.
        now: for tests; default: the database's time.

    Raises:
        Unavailable: the database does not answer; whether something was taken is unknown.
    """
    asked = Asked(subjects, cost, reserved=reserved)
    if isinstance(session, Database) and len(subjects) == 1:
        return asked.decision(*session.one(_TAKE_ONE, asked.parameters_of_one(tenant_id, now)))
    return _decide(session, asked, asked.parameters(tenant_id, now=now))


def look(
    session: Transaction | Database,
    subjects: Sequence[Subject],
    cost: int = 1,
    *,
    reserved: bool = False,
    tenant_id: UUID | None = None,
    now: datetime | None = None,
) -> Decision:
    """Return what take would decide, and take nothing. Arguments and errors are those of take; cost may be 0."""
    asked = Asked(subjects, cost, reserved=reserved)
    return _decide(session, asked, asked.parameters(tenant_id, takes=False, now=now))


def correct(
    session: Transaction | Database,
    subject: Subject,
    remaining: int,
    wait: timedelta,
    *,
    tenant_id: UUID | None = None,
) -> None:
    """Store what a platform told about its own window: nothing remaining means that nobody asks until its end.

    Args:
        session: a database, or a transaction of the tenant.
        subject: whose budget it is.
        remaining: requests that the platform still allows.
        wait: from now, by the database's clock, to the end of its window; a day at most; none before now.
        tenant_id: with a Database: the tenant.

    Raises:
        Unavailable: as take.
    """
    parameters = {
        "tenant_id": tenant_id,
        "kind": subject.kind,
        "id": subject.id,
        "remaining": min(max(0, remaining), MOST),
        "wait": wait,
    }
    if isinstance(session, Database):
        session.one(_CORRECT, parameters)
    else:
        session.execute(_CORRECT, parameters)


def release(database: Database, subject: Subject, until: datetime, *, tenant_id: UUID) -> None:
    """Forget what a platform told about its own window, unless it told another one since.

    Args:
        database: in which this is a transaction of its own.
        subject: whose budget it is.
        until: the end of that window, as a decision had it.
        tenant_id: the tenant.

    Raises:
        Unavailable: as take.
    """
    with database.transaction(tenant_id) as transaction:
        transaction.execute(_RELEASE, {"kind": subject.kind, "id": subject.id, "until": until})


class Asked:
    """A request to the limiter, for a statement of its own or as a part of another one."""

    def __init__(self, subjects: Sequence[Subject], cost: int = 1, *, reserved: bool = False) -> None:
        """Store a request; the arguments are those of take."""
        # One order for all calls: no two wait for each other's rows.
        self._subjects = sorted(subjects, key=lambda subject: (subject.kind, subject.id))
        self._usable = [subject.usable(reserved=reserved) for subject in self._subjects]
        self._cost = cost

    def parameters(self, tenant_id: UUID | None, *, takes: bool = True, now: datetime | None = None) -> dict[str, Any]:
        """Return the parameters of TAKE. takes: false only looks; the other arguments are those of take."""
        limits = {f"limits_{window}": [limits.of(window) for limits in self._usable] for window in WINDOWS}
        return limits | {
            "limits_tenant_id": tenant_id,
            "limits_kinds": [subject.kind for subject in self._subjects],
            "limits_ids": [subject.id for subject in self._subjects],
            "limits_cost": self._cost,
            "limits_take": takes,
            "limits_now": now,
        }

    def parameters_of_one(self, tenant_id: UUID | None, now: datetime | None) -> list[Any]:
        """Return the parameters of _TAKE_ONE for the only subject; the arguments are those of take."""
        [subject], [limits] = self._subjects, self._usable
        of_windows = [limits.minute, limits.hour, limits.day, limits.month]
        return [tenant_id, subject.kind, subject.id, *of_windows, self._cost, now]

    def decision(self, answer: Mapping[str, Any]) -> Decision:
        """Return the decision that an answer of TAKE tells, and count what it announced."""
        if announced := answer.get("announced"):
            count(EXCEEDED, announced)
        return Decision(answer, self._subjects, self._usable, self._cost)


def _decide(session: Transaction | Database, asked: Asked, parameters: dict[str, Any]) -> Decision:
    if isinstance(session, Database):
        return asked.decision(*session.one(_TAKE, parameters))
    [row] = session.execute(_TAKE, parameters).fetchall()
    return asked.decision(*row)
