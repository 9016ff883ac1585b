"""Sync runs in the database: one open run per connection, one lease, found again after a lost worker or message."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import errors as pg

from causeway import settings
from causeway.aws import clients
from causeway.database.postgres import Database
from causeway.errors.service import Misconfigured
from causeway.errors.syncs import SyncRunNotFound
from causeway.jobs.invocations import Invocation, TimeBudget
from causeway.jobs.messages import RowMessage
from causeway.platforms.kinds.sync import Result, SyncRun
from causeway.syncs import engines, running, runs, sweeping
from causeway.syncs.engines import Engine
from causeway.syncs.runs import LeasedRun, Run
from tests.database.parallel import at_once
from tests.database.world import Casino

MINUTE = timedelta(minutes=1)
NOTHING = {"queued": 0, "failed": 0, "refused": 0, "left": 0}
NO_TENANTS = UUID(int=0)


@dataclass
class Syncs:
    """A tenant's active connection, and operations on its syncs, over a database connection of its own."""

    casino: Casino
    connection_id: UUID
    database: Database

    def elsewhere(self) -> "Syncs":
        """The same connection in another execution environment."""
        return Syncs(self.casino, self.connection_id, self.casino.database("hub"))

    def another(self) -> "Syncs":
        """Another connection of the same tenant."""
        return connected(self.casino)

    def request(self) -> tuple[Run, bool]:
        with self.database.transaction(self.casino.tenant_id) as transaction:
            return runs.request(transaction, self.connection_id, uuid4(), "subject")

    def lease(self, run_id: UUID, duration: timedelta = MINUTE) -> LeasedRun | None:
        with self.database.transaction(self.casino.tenant_id) as transaction:
            return runs.lease(transaction, run_id, duration)

    def leased(self, run_id: UUID, duration: timedelta = MINUTE) -> LeasedRun:
        leased = self.lease(run_id, duration)
        assert leased is not None
        return leased

    def finish(self, leased: LeasedRun, result: Result) -> bool:
        with self.database.transaction(self.casino.tenant_id) as transaction:
            return runs.finish(transaction, leased, result)

    def invocation(self, remaining: Callable[[], int] = lambda: 60_000) -> Invocation:
        """remaining: returns the remaining milliseconds."""
        return Invocation(self.database, "invocation", TimeBudget(remaining))

    def run(self, run_id: UUID, find_engine: Callable[[str], Engine | None] = engines.find) -> Result | None:
        message = RowMessage(self.casino.tenant_id, run_id)
        return running.run(self.invocation(), message, find_engine)

    def sweep(self, *has_time: bool) -> dict[str, int]:
        """has_time: the first answers of the time budget; after them there is time."""
        answers = iter(has_time)
        counts: dict[str, int] = {}
        sweeping.sweep(self.invocation(lambda: int(next(answers, True))), counts)
        return counts

    def row(self, run_id: UUID) -> Any:
        statement = "SELECT * FROM sync_runs WHERE tenant_id = %s AND run_id = %s"
        return self.casino.query(statement, [self.casino.tenant_id, run_id])[0]

    def age(self, run_id: UUID, by: str = "6 minutes") -> None:
        """Make a run, and the times it waits since, this old."""
        statement = """
            UPDATE sync_runs SET queued_at = queued_at - %s::interval, leased_until = leased_until - %s::interval
            WHERE run_id = %s
        """
        self.casino.query(statement, [by, by, run_id])

    @property
    def last_sync(self) -> Any:
        statement = "SELECT last_sync_at FROM integration_connections WHERE connection_id = %s"
        return self.casino.value(statement, [self.connection_id])

    def audited(self) -> list[tuple[str, str, str, Any]]:
        """Actor, object, outcome and state of each finished run in the tenant's audit log."""
        rows = self.casino.query(
            """
            SELECT actor, object_id, outcome, after::text::json AS after FROM audit_log
            WHERE tenant_id = %s AND action = 'sync.ended' AND (actor_kind, request_id) = ('system', 'invocation')
            ORDER BY entry
            """,
            [self.casino.tenant_id],
        )
        return [tuple(row) for row in rows]


def connected(casino: Casino) -> Syncs:
    """A new active connection."""
    connection_id = casino.value(
        """
        INSERT INTO integration_connections (tenant_id, provider_key, name, created_by, status)
        VALUES (%s, 'twilio', %s, 'test', 'active') RETURNING connection_id::text
        """,
        [casino.tenant_id, str(uuid4())],
    )
    return Syncs(casino, connection_id, casino.database("hub"))


@pytest.fixture
def syncs(casino: Casino) -> Syncs:
    return connected(casino)


@pytest.fixture
def theirs(casino: Casino) -> Iterator[Syncs]:
    """Another tenant's connection in the same database."""
    other = Casino(casino.urls)
    yield connected(other)
    other.close()


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], list[str]]]:
    """Moto's SQS: queue() takes the messages out of the queue of syncs."""
    from moto import mock_aws

    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with mock_aws():
        clients.client.cache_clear()
        settings.sync_queue_url.cache_clear()
        client = clients.client("sqs")
        url = client.create_queue(QueueName="syncs")["QueueUrl"]
        monkeypatch.setenv("SYNC_QUEUE_URL", url)

        def drained() -> list[str]:
            found = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
            return [one["Body"] for one in found]

        yield drained
    clients.client.cache_clear()
    settings.sync_queue_url.cache_clear()


@pytest.fixture
def queue_down(queue: Callable[[], list[str]]) -> Iterator[Callable[[bool], None]]:
    """Switches whether anything answers at the queue's address."""
    from botocore.exceptions import EndpointConnectionError

    def refuse(**_: Any) -> None:
        raise EndpointConnectionError(endpoint_url="https://sqs")

    events = clients.client("sqs").meta.events

    def switch(down: bool) -> None:
        events.unregister("before-call.sqs", refuse)
        if down:
            events.register_first("before-call.sqs", refuse)

    yield switch
    events.unregister("before-call.sqs", refuse)


# ---- One run at a time ----


@pytest.mark.parametrize("attempt", range(5))
def test_eight_concurrent_triggers_create_one_run(syncs: Syncs, attempt: int) -> None:
    """HUB 27: one trigger creates the run, the others get its id."""
    answers = at_once([syncs.elsewhere().request for _ in range(8)])

    assert sum(made for _, made in answers) == 1
    assert len({run.run_id for run, _ in answers}) == 1
    assert syncs.casino.value("SELECT count(*) FROM sync_runs") == 1


def test_trigger_gets_the_open_run_and_after_its_end_a_new_one(syncs: Syncs) -> None:
    first, made = syncs.request()
    queued = syncs.request()
    leased = syncs.leased(first.run_id)
    running_, again = syncs.request()
    syncs.finish(leased, Result("failed", "NO_ENGINE"))
    second, anew = syncs.request()

    assert (made, queued[1], again, anew) == (True, False, False, True)
    assert first.run_id == queued[0].run_id == running_.run_id != second.run_id
    assert (first.status, running_.status, second.status) == ("queued", "running", "queued")


def test_connections_do_not_wait_for_each_other(syncs: Syncs, theirs: Syncs) -> None:
    assert [one.request()[1] for one in (syncs, syncs.another(), theirs)] == [True] * 3


@pytest.mark.parametrize("status", ["queued", "running"])
def test_second_open_run_is_refused_by_the_database(syncs: Syncs, status: str) -> None:
    syncs.request()
    with pytest.raises(pg.UniqueViolation, match="sync_runs_one_open"):
        syncs.casino.query(
            """
            INSERT INTO sync_runs (tenant_id, connection_id, status, requested_by, leased_until)
            VALUES (%s, %s, %s, 'subject', CASE %s WHEN 'running' THEN now() END)
            """,
            [syncs.casino.tenant_id, syncs.connection_id, status, status],
        )


@pytest.mark.parametrize(("status", "lease"), [("running", "NULL"), ("queued", "now()"), ("failed", "now()")])
def test_only_a_running_run_has_a_lease(syncs: Syncs, status: str, lease: str) -> None:
    run, _ = syncs.request()
    statement = f"UPDATE sync_runs SET status = '{status}', leased_until = {lease} WHERE run_id = '{run.run_id}'"  # noqa: S608
    with pytest.raises(pg.CheckViolation, match="sync_runs_lease"):
        syncs.casino.query(statement.encode())


@pytest.mark.parametrize("attempt", range(5))
def test_one_of_eight_concurrent_workers_gets_the_lease(syncs: Syncs, attempt: int) -> None:
    """HUB 27"""
    run, _ = syncs.request()
    answers = at_once([partial(syncs.elsewhere().lease, run.run_id) for _ in range(8)])

    won = [leased for leased in answers if leased is not None]
    assert [(leased.run_id, leased.attempt) for leased in won] == [(run.run_id, 1)]
    assert (syncs.row(run.run_id).status, syncs.row(run.run_id).attempts) == ("running", 1)


def test_message_delivered_eight_times_is_processed_once(syncs: Syncs) -> None:
    run, _ = syncs.request()
    worked: list[UUID] = []

    def engine(work: SyncRun) -> Result:
        worked.append(work.run_id)
        return Result("succeeded")

    answers = at_once([partial(syncs.elsewhere().run, run.run_id, {"twilio": engine}.get) for _ in range(8)])

    assert worked == [run.run_id]
    assert [answer for answer in answers if answer is not None] == [Result("succeeded")]
    assert [outcome for _, _, outcome, _ in syncs.audited()] == ["done"]


# ---- How runs finish ----


def test_no_provider_has_an_engine_yet(syncs: Syncs) -> None:
    run, _ = syncs.request()

    assert syncs.run(run.run_id) == Result("failed", "NO_ENGINE")
    row = syncs.row(run.run_id)
    assert (row.status, row.reason, row.leased_until) == ("failed", "NO_ENGINE", None)
    assert row.requested_at <= row.started_at <= row.ended_at
    assert syncs.last_sync is None
    state = {"runId": str(run.run_id), "status": "failed", "reason": "NO_ENGINE"}
    assert syncs.audited() == [("sync-run", syncs.connection_id, "failed", state)]


@pytest.mark.parametrize("status", ["succeeded", "partial"])
def test_engine_reports_its_result(syncs: Syncs, status: Any) -> None:
    run, _ = syncs.request()

    def engine(work: SyncRun) -> Result:
        context = work.context
        with context.transaction() as transaction:
            found = runs.find(transaction, work.connection_id, work.run_id)
        assert (found.status, context.tenant, context.request_id) == ("running", syncs.casino.tenant_id, "invocation")
        return Result(status)

    assert syncs.run(run.run_id, {"twilio": engine}.get) == Result(status)
    assert (syncs.row(run.run_id).status, syncs.row(run.run_id).reason) == (status, None)
    assert syncs.last_sync == syncs.row(run.run_id).ended_at
    assert [outcome for _, _, outcome, _ in syncs.audited()] == ["done"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("status = 'error'", "INTEGRATION_NOT_ACTIVE"),
        ("status = 'error', error_code = 'CREDENTIAL_UNREADABLE'", "CREDENTIAL_UNREADABLE"),
        ("status = 'error', error_code = 'CREDENTIAL_MISSING'", "CREDENTIAL_MISSING"),
        ("deleted_at = now()", "INTEGRATION_NOT_ACTIVE"),
    ],
)
def test_unusable_connection_reaches_no_engine(syncs: Syncs, change: str, reason: str) -> None:
    run, _ = syncs.request()
    statement = f"UPDATE integration_connections SET {change} WHERE connection_id = '{syncs.connection_id}'"  # noqa: S608
    syncs.casino.query(statement.encode())

    def engine(work: SyncRun) -> Result:
        raise AssertionError(work)

    assert syncs.run(run.run_id, {"twilio": engine}.get) == Result("failed", reason)
    assert syncs.row(run.run_id).status == "failed"
    assert reason in runs.REASONS


def test_unknown_finished_or_foreign_run_is_not_processed(syncs: Syncs, theirs: Syncs) -> None:
    ended, _ = syncs.request()
    syncs.run(ended.run_id)
    other, _ = theirs.request()
    before = syncs.row(ended.run_id)

    assert [syncs.run(run_id) for run_id in (uuid4(), ended.run_id, other.run_id)] == [None] * 3
    assert (syncs.row(ended.run_id), theirs.row(other.run_id).status) == (before, "queued")
    assert len(syncs.audited()) == 1


def test_run_is_found_only_by_its_own_connection(syncs: Syncs, theirs: Syncs) -> None:
    """HUB 42"""
    run, _ = syncs.request()
    for one in (syncs.another(), theirs):
        with (
            pytest.raises(SyncRunNotFound),
            one.database.transaction(one.casino.tenant_id) as transaction,
        ):
            runs.find(transaction, one.connection_id, run.run_id)


# ---- Workers that die ----


def test_worker_with_an_expired_lease_cannot_finish_a_run(syncs: Syncs, queue: Callable[[], list[str]]) -> None:
    """HUB 27: a dead worker's lease expires; a slow worker can then change nothing."""
    run, _ = syncs.request()
    slow = syncs.leased(run.run_id)
    syncs.age(run.run_id)
    assert syncs.sweep() == NOTHING | {"queued": 1}
    quick = syncs.leased(run.run_id)

    assert syncs.finish(slow, Result("succeeded")) is False
    assert (syncs.row(run.run_id).status, syncs.last_sync) == ("running", None)
    assert syncs.finish(quick, Result("partial")) is True
    assert syncs.finish(slow, Result("failed")) is False
    assert (slow.attempt, quick.attempt, syncs.row(run.run_id).status) == (1, 2, "partial")


def test_result_after_the_lease_expired_is_ignored(syncs: Syncs, queue: Callable[[], list[str]]) -> None:
    run, _ = syncs.request()

    def engine(work: SyncRun) -> Result:
        there = syncs.elsewhere()
        there.age(work.run_id)
        there.sweep()
        return Result("succeeded")

    assert syncs.run(run.run_id, {"twilio": engine}.get) is None
    assert (syncs.row(run.run_id).status, syncs.last_sync, syncs.audited()) == ("queued", None, [])


def test_failed_attempt_is_retried_a_limited_number_of_times(syncs: Syncs, queue: Callable[[], list[str]]) -> None:
    run, _ = syncs.request()

    def engine(work: SyncRun) -> Result:
        raise LookupError(work.attempt)

    for attempt in (1, 2, 3):
        with pytest.raises(LookupError, match=str(attempt)):
            syncs.run(run.run_id, {"twilio": engine}.get)
        assert syncs.row(run.run_id).status == "running"
        syncs.age(run.run_id)
        assert syncs.sweep() == NOTHING | ({"queued": 1} if attempt < 3 else {"failed": 1})

    row = syncs.row(run.run_id)
    assert (row.status, row.reason, row.attempts, row.ended_at is not None) == ("failed", "NEVER_ENDED", 3, True)
    assert len(queue()) == 2
    state = {"runId": str(run.run_id), "status": "failed", "reason": "NEVER_ENDED"}
    assert syncs.audited() == [("sync-sweep", syncs.connection_id, "failed", state)]
    assert syncs.request()[1]


# ---- Messages that the queue loses ----


def test_long_waiting_run_is_queued_again_by_its_ids(
    syncs: Syncs, theirs: Syncs, queue: Callable[[], list[str]]
) -> None:
    """HUB 32: runs of all tenants."""
    old, young, foreign = syncs.request()[0], syncs.another().request()[0], theirs.request()[0]
    syncs.age(old.run_id)
    syncs.age(young.run_id, "4 minutes")
    theirs.age(foreign.run_id)

    assert syncs.sweep() == NOTHING | {"queued": 2}
    found = {(one.tenant_id, one.row_id) for one in map(RowMessage.parse, queue())}
    assert found == {(syncs.casino.tenant_id, old.run_id), (theirs.casino.tenant_id, foreign.run_id)}
    # Each waits for a worker as long as the first time.
    assert syncs.sweep() == NOTHING
    assert (syncs.row(old.run_id).status, syncs.row(old.run_id).attempts) == ("queued", 0)


def test_running_or_finished_run_is_not_swept(syncs: Syncs, queue: Callable[[], list[str]]) -> None:
    one, other = syncs.request()[0], syncs.another()
    syncs.leased(one.run_id, timedelta(minutes=10))
    ended, _ = other.request()
    other.run(ended.run_id)
    for run in (one, ended):
        syncs.age(run.run_id)

    assert (syncs.sweep(), queue()) == (NOTHING, [])
    assert (syncs.row(one.run_id).status, syncs.row(ended.run_id).status) == ("running", "failed")


def test_run_leased_during_the_sweep_is_left_to_its_worker(syncs: Syncs, queue: Callable[[], list[str]]) -> None:
    """HUB 33"""
    run, _ = syncs.request()
    syncs.age(run.run_id)
    worker = syncs.elsewhere()

    def remaining() -> int:
        worker.leased(run.run_id, timedelta(minutes=10))
        return 60_000

    sweeping.sweep(syncs.invocation(remaining), {})
    assert (syncs.row(run.run_id).status, syncs.row(run.run_id).attempts, queue()) == ("running", 1, [])


def test_sweep_queues_runs_that_the_queue_refused(
    syncs: Syncs, queue: Callable[[], list[str]], queue_down: Callable[[bool], None]
) -> None:
    run, _ = syncs.request()
    queue_down(True)
    for _ in range(2):
        syncs.age(run.run_id)
        assert syncs.sweep() == NOTHING | {"refused": 1}
    queue_down(False)
    syncs.age(run.run_id)

    assert syncs.sweep() == NOTHING | {"queued": 1}
    assert [RowMessage.parse(body).row_id for body in queue()] == [run.run_id]
    assert syncs.run(run.run_id) == Result("failed", "NO_ENGINE")


def test_sweep_without_the_queues_setting_changes_no_run(syncs: Syncs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SYNC_QUEUE_URL", raising=False)
    settings.sync_queue_url.cache_clear()
    run, _ = syncs.request()
    syncs.age(run.run_id)
    before = syncs.row(run.run_id)

    with pytest.raises(Misconfigured, match="SYNC_QUEUE_URL"):
        syncs.sweep()
    assert syncs.row(run.run_id) == before


@pytest.mark.parametrize("attempt", range(3))
def test_concurrent_sweeps_queue_a_run_once(syncs: Syncs, queue: Callable[[], list[str]], attempt: int) -> None:
    made = [syncs.another().request()[0] for _ in range(5)]
    for run in made:
        syncs.age(run.run_id)
    done = at_once([syncs.elsewhere().sweep for _ in range(4)])

    assert sum(one["queued"] for one in done) == 5
    assert sorted(RowMessage.parse(body).row_id for body in queue()) == sorted(run.run_id for run in made)


def test_locked_run_is_skipped_and_the_others_are_queued(syncs: Syncs, queue: Callable[[], list[str]]) -> None:
    """The longest waiting run of all is locked by a call that does not end."""
    held, *others = [syncs.another().request()[0] for _ in range(3)]
    for run, age in ((held, "9 minutes"), *((run, "6 minutes") for run in others)):
        syncs.age(run.run_id, age)
    with psycopg.connect(syncs.casino.urls["superuser"]) as call:
        call.execute("SELECT FROM sync_runs WHERE run_id = %s FOR UPDATE", [held.run_id])
        assert syncs.sweep() == NOTHING | {"queued": 2, "left": 1}

    assert {RowMessage.parse(body).row_id for body in queue()} == {run.run_id for run in others}
    assert syncs.sweep() == NOTHING | {"queued": 1}


def test_sweep_without_time_is_finished_by_the_next(syncs: Syncs, queue: Callable[[], list[str]]) -> None:
    for _ in range(3):
        one = syncs.another()
        one.age(one.request()[0].run_id)

    assert syncs.sweep(True, False) == NOTHING | {"queued": 1}
    assert syncs.sweep() == NOTHING | {"queued": 2}


def test_due_runs_are_listed_across_tenants_without_their_rows(syncs: Syncs, theirs: Syncs) -> None:
    """HUB 42"""
    for one in (syncs, theirs):
        one.age(one.request()[0].run_id)
    with syncs.database.transaction(NO_TENANTS) as transaction:
        assert transaction.execute("SELECT FROM sync_runs").rowcount == 0
        told = transaction.execute("SELECT * FROM sync_runs_due_v1('5 minutes')")
        assert [column.name for column in told.description or ()] == ["tenant_id", "run_id"]
        assert {row.tenant_id for row in told} == {syncs.casino.tenant_id, theirs.casino.tenant_id}


@pytest.mark.parametrize("login", ["casino", "provider", "auditor"])
def test_no_other_login_can_list_due_runs(casino: Casino, login: str) -> None:
    with psycopg.connect(casino.urls[login]) as database, pytest.raises(pg.InsufficientPrivilege):
        database.execute("SELECT FROM sync_runs_due_v1('5 minutes')")


def test_sweeper_reads_only_open_runs(syncs: Syncs) -> None:
    """However many runs are finished: the index has open runs only."""
    syncs.casino.query(
        """
        INSERT INTO sync_runs (tenant_id, connection_id, status, requested_by)
        SELECT %s, %s, 'failed', 'subject' FROM generate_series(1, 5000)
        """,
        [syncs.casino.tenant_id, syncs.connection_id],
    )
    syncs.casino.query("ANALYZE sync_runs")
    definition = syncs.casino.value(
        "SELECT pg_get_function_sqlbody(oid) FROM pg_proc WHERE proname = 'sync_runs_due_v1'"
    )
    statement = (
        definition.partition("BEGIN ATOMIC")[2]
        .rpartition("END")[0]
        .replace("sync_runs_due_v1.p_age", "interval '5 minutes'")
    )
    plan = "\n".join(row[0] for row in syncs.casino.query(f"EXPLAIN {statement.strip().rstrip(';')}".encode()))

    assert "sync_runs_one_open" in plan
    assert "Seq Scan" not in plan
