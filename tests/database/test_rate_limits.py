"""Cases 17 to 19: windows taken all or nothing, exact at their edges, corrected by what platforms told, swept."""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from aws_lambda_powertools import Metrics

from causeway.database.postgres import Database
from causeway.rate_limits import limiter, retention
from causeway.rate_limits.decisions import Decision
from causeway.rate_limits.limits import WINDOWS, Limits
from causeway.rate_limits.subjects import Kind, Subject
from tests.database.parallel import at_once
from tests.database.world import Casino

CALLERS = 64
# A millisecond before the end of a minute, an hour, a day, a month.
EDGES = {
    "minute": datetime(2040, 3, 15, 10, 20, 59, 999_000, UTC),
    "hour": datetime(2040, 3, 15, 10, 59, 59, 999_000, UTC),
    "day": datetime(2040, 3, 15, 23, 59, 59, 999_000, UTC),
    "month": datetime(2040, 2, 29, 23, 59, 59, 999_000, UTC),
}
MOMENT = timedelta(milliseconds=2)


def subject(kind: Kind = "connection", *, minute: int | None = None, **limits: int) -> Subject:
    """A new subject with these limits."""
    return Subject(kind, str(uuid4()), Limits(minute=minute, **limits))


@pytest.fixture
def database(shared_casino: Casino) -> Database:
    return shared_casino.database("hub")


@pytest.fixture(scope="module")
def databases(shared_casino: Casino) -> Iterator[list[Database]]:
    """A connection for each caller."""
    made = [shared_casino.database("hub") for _ in range(CALLERS)]
    yield made
    for one in made:
        one.close()


@pytest.fixture
def take(shared_casino: Casino, database: Database) -> Any:
    """Takes for the tenant of a module's tests."""

    def take(
        *subjects: Subject,
        cost: int = 1,
        reserved: bool = True,
        tenant_id: UUID = shared_casino.tenant_id,
        now: datetime | None = None,
    ) -> Decision:
        return limiter.take(database, subjects, cost, reserved=reserved, tenant_id=tenant_id, now=now)

    return take


def row(casino: Casino, one: Subject) -> Any:
    """The stored row of a subject; None: it has none."""
    found = casino.query("SELECT * FROM rate_limits WHERE kind = %s AND subject_id = %s", [one.kind, one.id])
    return found[0] if found else None


def events(casino: Casino, one: Subject) -> list[Any]:
    """The events about a subject's limits, oldest first."""
    return casino.query(
        "SELECT * FROM events_out WHERE payload ->> 'subjectId' = %s ORDER BY created_at, type", [one.id]
    )


@pytest.mark.parametrize("window", WINDOWS)
def test_callers_at_the_edge_of_a_window_get_exactly_its_limit_on_both_sides(
    shared_casino: Casino, databases: list[Database], window: str
) -> None:
    """Case 18: 64 callers before the edge, 64 after it, and nobody gets an error."""
    one = Subject("connection", str(uuid4()), Limits(**{window: 40}))
    before, after = EDGES[window], EDGES[window] + MOMENT

    def call(database: Database, now: datetime) -> Decision:
        return limiter.take(database, [one], reserved=True, tenant_id=shared_casino.tenant_id, now=now)

    for now in (before, after):
        decisions = at_once([lambda database=database: call(database, now) for database in databases])  # noqa: B023
        assert Counter(decision.allowed for decision in decisions) == {True: 40, False: CALLERS - 40}
        assert {decision.remaining for decision in decisions if decision.allowed} == set(range(40))


def test_callers_of_both_sides_of_an_edge_at_once_get_both_limits_at_most(
    shared_casino: Casino, databases: list[Database]
) -> None:
    one = subject(minute=20)
    times = [EDGES["minute"], EDGES["minute"] + MOMENT]

    def call(database: Database, now: datetime) -> tuple[bool, datetime]:
        decision = limiter.take(database, [one], reserved=True, tenant_id=shared_casino.tenant_id, now=now)
        return decision.allowed, decision.decided_at

    answers = at_once([lambda d=d, n=n: call(d, times[n % 2]) for n, d in enumerate(databases)])
    granted = Counter(at for allowed, at in answers if allowed)

    # A caller whose clock is behind counts in the window that has begun.
    assert granted[times[1]] == 20
    assert granted[times[0]] <= 20


def test_callers_of_several_subjects_in_any_order_get_exactly_the_smallest_limit(
    shared_casino: Casino, databases: list[Database]
) -> None:
    """Case 18: rows are locked in one order, so that no caller waits for ever and none gets an error."""
    deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    before = shared_casino.value(deadlocks)
    subjects = [subject("tenant", minute=50), subject(minute=30), subject("api_key", minute=60)]

    def call(database: Database, turn: int) -> Decision:
        turned = subjects[turn % 3 :] + subjects[: turn % 3]
        return limiter.take(database, turned, reserved=True, tenant_id=shared_casino.tenant_id, now=EDGES["minute"])

    decisions = at_once([lambda d=d, n=n: call(d, n) for n, d in enumerate(databases)])

    assert sum(decision.allowed for decision in decisions) == 30
    assert [row(shared_casino, one).minute_used for one in subjects] == [30, 30, 30]
    assert {decision.refused_by for decision in decisions if not decision.allowed} == {subjects[1]}
    assert shared_casino.value(deadlocks) == before


def test_refused_request_takes_from_no_subject(shared_casino: Casino, take: Any) -> None:
    full, free = subject(minute=1, day=9), subject("tenant", minute=100)
    take(full)

    refused = take(full, free)

    assert (refused.allowed, refused.refused_by) == (False, full)
    assert row(shared_casino, free).minute_used == 0
    assert row(shared_casino, full).day_used == 1


def test_full_hour_refuses_although_the_minute_has_room_and_nothing_is_taken(shared_casino: Casino, take: Any) -> None:
    one = subject(minute=100, hour=1)
    now = EDGES["day"] - timedelta(minutes=10)
    take(one, now=now)

    refused = take(one, now=now)

    assert not refused.allowed
    assert (refused.tightest and refused.tightest.name, refused.limit, refused.remaining) == ("hour", 1, 0)
    assert row(shared_casino, one).minute_used == 1


@pytest.mark.parametrize("window", WINDOWS)
def test_client_that_waits_for_retry_after_succeeds(take: Any, window: str) -> None:
    """Case 19."""
    one = Subject("connection", str(uuid4()), Limits(**{window: 2}))
    now = EDGES[window] - timedelta(seconds=7, microseconds=345)
    take(one, cost=2, now=now)

    refused = take(one, now=now)

    assert refused.retry_after == 8
    assert not take(one, now=now + timedelta(seconds=6)).allowed
    assert take(one, now=now + timedelta(seconds=refused.retry_after or 0)).allowed


def test_retry_after_is_of_the_window_that_is_full_for_the_longest_time(take: Any) -> None:
    one = subject(minute=1, hour=1)
    now = datetime(2040, 5, 1, 12, 30, 30, tzinfo=UTC)
    take(one, now=now)

    refused = take(one, now=now)

    assert (refused.tightest and refused.tightest.name, refused.retry_after) == ("hour", 29 * 60 + 30)
    assert take(one, now=now + timedelta(seconds=refused.retry_after or 0)).allowed


def test_counts_follow_the_clock_in_utc(take: Any) -> None:
    one = subject(minute=9, hour=9, day=9, month=9)
    steps = {
        datetime(2040, 1, 31, 22, 58, 30, tzinfo=UTC): (1, 1, 1, 1),
        datetime(2040, 1, 31, 22, 59, 0, tzinfo=UTC): (1, 2, 2, 2),
        datetime(2040, 1, 31, 23, 0, 0, tzinfo=UTC): (1, 1, 3, 3),
        datetime(2040, 2, 1, 0, 0, 0, tzinfo=UTC): (1, 1, 1, 1),
        datetime(2041, 2, 1, 0, 0, 0, tzinfo=UTC): (1, 1, 1, 1),
    }
    for now, used in steps.items():
        assert tuple(window.used for window in take(one, now=now).windows) == used


def test_clock_that_was_set_back_grants_no_more(take: Any) -> None:
    one = subject(minute=1)
    take(one, now=EDGES["minute"] + MOMENT)

    refused = take(one, now=EDGES["minute"])

    assert not refused.allowed
    assert refused.reset_at == EDGES["minute"] + timedelta(milliseconds=1) + timedelta(minutes=1)


def test_cost_is_taken_whole_or_not_at_all(take: Any) -> None:
    one = subject(minute=10)
    assert take(one, cost=7).remaining == 3
    assert not take(one, cost=4).allowed
    assert take(one, cost=3).remaining == 0


def test_reserve_is_left_for_payments_and_messages(take: Any) -> None:
    """Case 17: a tenth of a connection's window; a tenant's own limit has no reserve."""
    one, tenant = subject(minute=20), subject("tenant", minute=2)
    assert take(one, cost=18, reserved=False).allowed
    refused = take(one, reserved=False)
    assert (refused.allowed, refused.limit, refused.remaining) == (False, 18, 0)
    assert refused.sentence == (
        "The connection's limit of 20 a minute is used up, but for the 2 that only payments and messages may use"
    )
    assert take(one, cost=2, reserved=True).remaining == 0
    assert take(tenant, cost=2, reserved=False).remaining == 0


@pytest.mark.parametrize(("limit", "plain"), [(1, 1), (2, 1), (9, 8), (10, 9), (11, 9), (100, 90)])
def test_reserve_is_rounded_up(take: Any, limit: int, plain: int) -> None:
    """Case 17: a small limit has a reserve too; one of 1 has none, as nothing would be left."""
    one = subject(minute=limit)
    assert take(one, cost=plain, reserved=False).remaining == 0
    assert not take(one, reserved=False).allowed
    assert take(one, reserved=True).allowed is (plain < limit)


def test_full_windows_that_are_over_refuse_nothing(take: Any) -> None:
    """The first request of a window finds the counts of the one before it."""
    for window in WINDOWS:
        one = Subject("connection", str(uuid4()), Limits(**{window: 1}))
        assert take(one, now=EDGES[window]).allowed
        assert take(one, now=EDGES[window] + MOMENT).remaining == 0


def test_one_subject_in_a_transaction_and_alone_is_counted_in_one_row(
    shared_casino: Casino, database: Database, take: Any
) -> None:
    """They are different SQL functions."""
    for kind in ("connection", "provider"):
        one = subject(kind, minute=3, hour=3, day=3, month=3)
        assert [take(one, now=EDGES["minute"]).remaining for _ in range(2)] == [2, 1]
        with database.transaction(shared_casino.tenant_id) as transaction:
            assert limiter.take(transaction, [one], now=EDGES["minute"], reserved=True).remaining == 0
        refused = take(one, now=EDGES["minute"])
        assert not refused.allowed
        assert [window.used for window in refused.windows] == [3, 3, 3, 3]


def test_look_takes_nothing_and_makes_no_row(shared_casino: Casino, database: Database, take: Any) -> None:
    one = subject("tenant", minute=2)
    tenant = shared_casino.tenant_id
    assert limiter.look(database, [one], tenant_id=tenant).allowed
    assert row(shared_casino, one) is None
    take(one)
    assert not limiter.look(database, [one], 2, tenant_id=tenant).allowed
    assert limiter.look(database, [one], 0, tenant_id=tenant).remaining == 1
    assert events(shared_casino, one) == []


def test_transaction_that_is_rolled_back_takes_nothing(shared_casino: Casino, database: Database) -> None:
    one = subject(minute=2)
    with suppress(RuntimeError), database.transaction(shared_casino.tenant_id) as transaction:
        assert limiter.take(transaction, [one]).allowed
        raise RuntimeError
    assert row(shared_casino, one) is None


def test_transaction_of_others_keeps_waiting_for_the_disk(shared_casino: Casino, database: Database) -> None:
    """Only a decision that is a transaction of its own may be lost by a crash."""
    statement = "SELECT current_setting('synchronous_commit')"
    with database.transaction(shared_casino.tenant_id) as transaction:
        limiter.take(transaction, [subject(minute=2)])
        assert transaction.execute(statement).fetchall() == [("on",)]
    limiter.take(database, [subject(minute=2)], tenant_id=shared_casino.tenant_id)
    assert database.one(statement, []) == ("on",)


def test_tenants_share_the_limit_of_a_provider_and_nothing_else(
    shared_casino: Casino, theirs: Casino, take: Any
) -> None:
    shared, own = subject("provider", minute=2), subject("key", minute=1)
    assert take(shared).allowed
    assert take(shared, tenant_id=theirs.tenant_id).allowed
    assert not take(shared, tenant_id=theirs.tenant_id).allowed
    assert take(own).allowed
    assert take(own, tenant_id=theirs.tenant_id).allowed
    # The refused tenant is not told about the use of others.
    assert events(shared_casino, shared) == []


def test_each_exceeded_window_is_announced_once(shared_casino: Casino, databases: list[Database], take: Any) -> None:
    """Case 19."""
    one = subject(minute=1, hour=2)
    now = datetime(2040, 6, 1, 12, 0, 0, tzinfo=UTC)

    def call(database: Database) -> Decision:
        return limiter.take(database, [one], reserved=True, tenant_id=shared_casino.tenant_id, now=now)

    at_once([lambda database=database: call(database) for database in databases])
    [minute] = events(shared_casino, one)
    assert (minute.type, minute.object_kind) == ("connection.rate_limit_exceeded", "rate_limit")
    assert minute.payload == {
        "kind": "connection",
        "subjectId": one.id,
        "window": "minute",
        "limit": 1,
        "refusedAt": "2040-06-01T12:00:00Z",
    }

    later = now + timedelta(minutes=1)
    take(one, now=later)
    take(one, now=later)
    take(one, now=later)
    assert [event.payload["window"] for event in events(shared_casino, one)].count("minute") == 2
    assert [event.payload["window"] for event in events(shared_casino, one)].count("hour") == 1


def test_limit_of_an_api_key_is_announced_as_an_issue(shared_casino: Casino, take: Any) -> None:
    one = subject("api_key", minute=1)
    take(one)
    take(one)
    assert [event.type for event in events(shared_casino, one)] == ["issue.rate_limit_exceeded"]


@pytest.mark.parametrize(
    ("kind", "counted"),
    [("provider", 1), ("oauth_app", 1), ("tenant", 1), ("api_key", 1), ("connection", 0), ("key", 0)],
)
def test_operators_alarm_counts_the_limits_that_the_operator_sets(take: Any, kind: Kind, counted: int) -> None:
    """A tenant raises the limits of its connections itself, and chooses those of its own keys."""
    one = subject(kind, minute=1)
    Metrics().clear_metrics()
    assert [take(one).allowed for _ in range(3)] == [True, False, False]
    found = Metrics().metric_set.get(limiter.EXCEEDED, {"Value": []})["Value"]
    Metrics().clear_metrics()
    assert sum(found) == counted


def test_nobody_asks_until_the_reset_that_a_platform_told(shared_casino: Casino, database: Database, take: Any) -> None:
    """Case 17."""
    one = subject(minute=100)
    tenant = shared_casino.tenant_id
    take(one)
    limiter.correct(database, one, 0, timedelta(hours=2), tenant_id=tenant)
    # By the database's clock, which need not be the caller's.
    until = row(shared_casino, one).told_until
    now = until - timedelta(hours=2)

    refused = take(one, now=now)
    assert (refused.allowed, refused.tightest and refused.tightest.name, refused.reset_at) == (False, "platform", until)
    assert refused.retry_after == 7200
    # An answer to an earlier call does not lift it.
    limiter.correct(database, one, 50, timedelta(hours=1), tenant_id=tenant)
    assert not take(one, now=now).allowed
    take(one, now=now)
    assert [event.payload["window"] for event in events(shared_casino, one)] == ["platform"]
    assert take(one, now=now + timedelta(seconds=refused.retry_after or 0)).allowed


def test_what_a_platform_allows_is_counted_down(shared_casino: Casino, database: Database, take: Any) -> None:
    one = subject(minute=100)
    wait = timedelta(seconds=30)
    tenant = shared_casino.tenant_id
    limiter.correct(database, one, 3, wait, tenant_id=tenant)
    assert take(one, cost=2).remaining == 1
    # The answer to the first of two calls comes last: the smaller number counts.
    limiter.correct(database, one, 2, wait, tenant_id=tenant)
    assert take(one).remaining == 0
    assert not take(one).allowed


def test_wait_that_a_platform_told_can_be_ended(shared_casino: Casino, database: Database, take: Any) -> None:
    """What was used of the subject's own windows stays used."""
    one = subject(minute=100)
    tenant = shared_casino.tenant_id
    take(one, cost=9)
    limiter.correct(database, one, 0, timedelta(hours=2), tenant_id=tenant)
    assert not take(one).allowed
    until = row(shared_casino, one).told_until
    # A wait that the platform told since stays.
    limiter.release(database, one, until - timedelta(seconds=1), tenant_id=tenant)
    assert not take(one).allowed
    limiter.release(database, one, until, tenant_id=tenant)

    found = row(shared_casino, one)
    assert (found.told_until, found.told_remaining, found.exceeded, found.month_used) == (None, None, 0, 9)
    assert take(one).allowed


@pytest.mark.parametrize(("told", "days"), [(timedelta(seconds=-1), None), (timedelta(days=400), 1)])
def test_reset_that_cannot_be_believed_does_not_stop_a_connection_for_long(
    shared_casino: Casino, database: Database, told: timedelta, days: int | None
) -> None:
    one = subject(minute=100)
    limiter.correct(database, one, 0, told, tenant_id=shared_casino.tenant_id)
    found = row(shared_casino, one)
    if days is None:
        assert found is None
    else:
        assert found.told_until - datetime.now(UTC) <= timedelta(days=days)


def test_sweep_deletes_only_rows_whose_windows_are_over(casino: Casino) -> None:
    database = casino.database("hub")
    ages: dict[tuple[Kind, int], bool] = {
        ("key", 0): True,
        ("key", 1): True,
        ("key", 3): False,
        ("connection", 30): True,
        ("connection", 40): False,
    }
    for kind, days in ages:
        now = datetime.now(UTC) - timedelta(days=days)
        one = Subject(kind, f"{kind}-{days}", Limits(minute=5))
        limiter.take(database, [one], tenant_id=casino.tenant_id, now=now)

    assert retention.sweep_batch(database) == 2
    assert retention.sweep_batch(database) == 0
    left = {found.subject_id for found in casino.query("SELECT subject_id FROM rate_limits")}
    assert left == {f"{kind}-{days}" for (kind, days), kept in ages.items() if kept}


def test_updates_write_to_no_index(shared_casino: Casino, take: Any) -> None:
    one = subject(minute=1000)
    take(one)
    before = row_place(shared_casino, one)
    for _ in range(20):
        take(one)
    # The index still points to the first version's page.
    assert row_place(shared_casino, one) == before


def row_place(casino: Casino, one: Subject) -> Any:
    """The page of a subject's row."""
    statement = "SELECT (ctid::text::point)[0]::bigint FROM rate_limits WHERE subject_id = %s"
    return casino.value(statement, [one.id])
