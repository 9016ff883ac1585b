"""The loop of scheduled jobs over the due rows of all tenants, on real Postgres."""

import json
import logging
from collections.abc import Callable, Iterator
from importlib.util import module_from_spec, spec_from_file_location
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from causeway import settings
from causeway.aws import secrets
from causeway.database import postgres
from causeway.database.postgres import Database
from causeway.errors.service import Internal, Misconfigured, SchemaBehind, Unavailable
from causeway.errors.tree import CausewayError
from causeway.errors.vault import KeyServiceUnavailable
from causeway.jobs import invocations
from causeway.jobs.due import Due, for_each_due
from causeway.jobs.invocations import Invocation, TimeBudget
from causeway.tenancy.context import JobContext
from local import ROOT
from tests.database.cutting_proxy import CuttingProxy
from tests.database.world import Casino
from tests.unit.secrets_server import SecretsServer


@pytest.fixture
def casinos(casino: Casino) -> Iterator[list[Casino]]:
    """Three tenants of one database."""
    others = [Casino(casino.urls) for _ in range(2)]
    yield [casino, *others]
    for other in others:
        other.close()


@pytest.fixture
def invocation(casino: Casino) -> Callable[..., Invocation]:
    """Make an invocation; has_time: the answers of its time budget."""

    def make(*has_time: bool, database: Database | None = None) -> Invocation:
        answers = iter(has_time)
        budget = TimeBudget(lambda: int(next(answers, True)))
        return Invocation(database or casino.database("hub"), "invocation", budget)

    return make


def due_of(casinos: list[Casino]) -> Callable[[psycopg.Connection[Any]], list[Any]]:
    """A `due` function that lists these tenants in this order."""

    def due(transaction: psycopg.Connection[Any]) -> list[Any]:
        ids = [casino.tenant_id for casino in casinos]
        statement = "SELECT tenant_id, 7 AS run_id FROM unnest(%s::uuid[]) AS tenant_id"
        return transaction.execute(statement, [ids]).fetchall()

    return due


def failed_rows(
    now: Invocation, due: Due, work: Callable[[JobContext, Any], None], stop_on: tuple[type[CausewayError], ...] = ()
) -> int:
    """Run the loop; returns how many rows failed."""
    counts: dict[str, int] = {}
    for_each_due(now, "a-job", due, work, counts, stop_on=stop_on)
    return counts["failed"]


def name_of(database: Database, tenant_id: UUID) -> str:
    with database.transaction(tenant_id) as transaction:
        [row] = transaction.execute("SELECT display_name FROM tenants").fetchall()
    return row.display_name


def test_every_tenants_row_is_worked_on_in_its_own_transaction(
    casinos: list[Casino], invocation: Callable[..., Invocation]
) -> None:
    now = invocation()
    seen: list[tuple[UUID, str]] = []

    def work(context: JobContext, row: Any) -> None:
        assert (context.job, context.tenant, context.request_id) == ("a-job", row.tenant_id, "invocation")
        seen.append((row.tenant_id, name_of(now.database, row.tenant_id)))

    assert failed_rows(now, due_of(casinos), work) == 0
    assert [tenant_id for tenant_id, _ in seen] == [casino.tenant_id for casino in casinos]


def test_due_rows_are_listed_without_reading_a_tenants_rows(
    casinos: list[Casino], invocation: Callable[..., Invocation]
) -> None:
    """HUB 42: a job that forgets the tenant sees nothing."""
    seen: list[int] = []

    def due(transaction: psycopg.Connection[Any]) -> list[Any]:
        seen.append(transaction.execute("SELECT FROM tenants").rowcount)
        return []

    assert failed_rows(invocation(), due, lambda *_: None) == 0
    assert seen == [0]


def test_failure_with_one_tenant_is_counted_and_logged_and_others_continue(
    casinos: list[Casino], invocation: Callable[..., Invocation], caplog: pytest.LogCaptureFixture
) -> None:
    """A lock that another transaction holds."""
    now, (held, *others) = invocation(), casinos
    for casino in casinos:
        casino.query(
            """
            INSERT INTO integration_connections (tenant_id, provider_key, name, created_by)
            VALUES (%s, 'twilio', 'Twilio', 'test')
            """,
            [casino.tenant_id],
        )
    worked: list[UUID] = []

    def work(_: JobContext, row: Any) -> None:
        with now.database.transaction(row.tenant_id) as transaction:
            transaction.execute("UPDATE integration_connections SET version = version + 1")
        worked.append(row.tenant_id)

    with psycopg.connect(held.urls["superuser"]) as other:
        other.execute("SELECT FROM integration_connections WHERE tenant_id = %s FOR UPDATE", [held.tenant_id])
        assert failed_rows(now, due_of(casinos), work) == 1

    assert worked == [casino.tenant_id for casino in others]
    [record] = [vars(record) for record in caplog.records if record.levelno == logging.WARNING]
    assert (record["job"], record["tenant_id"], record["run_id"]) == ("a-job", str(held.tenant_id), "7")
    assert "LockNotAvailable" in record["reason"]


def test_failure_without_a_cause_is_logged_with_its_sentence(
    casinos: list[Casino], invocation: Callable[..., Invocation], caplog: pytest.LogCaptureFixture
) -> None:
    def work(*_: Any) -> None:
        raise KeyServiceUnavailable

    assert failed_rows(invocation(), due_of(casinos), work) == len(casinos)
    assert {vars(record)["reason"] for record in caplog.records} == {KeyServiceUnavailable().sentence}


def test_unexpected_exception_is_raised_and_names_the_job_and_the_row(
    casinos: list[Casino], invocation: Callable[..., Invocation], caplog: pytest.LogCaptureFixture
) -> None:
    """The first one is raised after the others were worked on; the log has the traceback of each."""
    counts: dict[str, int] = {"done": 0}

    def work(_: JobContext, row: Any) -> None:
        if row.tenant_id == casinos[1].tenant_id:
            counts["done"] += 1
        else:
            raise LookupError(row.tenant_id)

    with pytest.raises(LookupError, match=str(casinos[0].tenant_id)) as raised:
        for_each_due(invocation(), "a-job", due_of(casinos), work, counts, failed="left")
    [note] = raised.value.__notes__
    assert note.startswith("a-job failed at ")
    assert str(casinos[0].tenant_id) in note
    assert counts == {"done": 1, "left": 2}
    assert [vars(record)["tenant_id"] for record in caplog.records if record.exc_info] == [
        str(casino.tenant_id) for casino in (casinos[0], casinos[2])
    ]


def test_error_that_concerns_every_tenant_ends_the_loop(
    casinos: list[Casino], invocation: Callable[..., Invocation]
) -> None:
    asked: list[UUID] = []

    def work(_: JobContext, row: Any) -> None:
        asked.append(row.tenant_id)
        raise KeyServiceUnavailable

    with pytest.raises(KeyServiceUnavailable):
        failed_rows(invocation(), due_of(casinos), work, stop_on=(KeyServiceUnavailable,))
    assert len(asked) == 1


@pytest.mark.parametrize("error", [Misconfigured(cause="no setting"), SchemaBehind(cause="no function")])
def test_missing_setting_or_old_schema_ends_the_loop(
    casinos: list[Casino], invocation: Callable[..., Invocation], error: CausewayError
) -> None:
    """It would be met with every row: the function fails, and its alarm rings."""
    asked: list[UUID] = []

    def work(_: JobContext, row: Any) -> None:
        asked.append(row.tenant_id)
        raise error

    with pytest.raises(type(error), match=error.cause):
        failed_rows(invocation(), due_of(casinos), work)
    assert len(asked) == 1


def test_fault_with_one_row_is_raised_after_the_others_are_done(
    casinos: list[Casino], invocation: Callable[..., Invocation]
) -> None:
    """The first row makes the database refuse; it must not keep the others waiting, and it must not pass unseen."""
    now, worked = invocation(), list[UUID]()

    def work(_: JobContext, row: Any) -> None:
        with now.database.transaction(row.tenant_id) as transaction:
            if row.tenant_id == casinos[0].tenant_id:
                transaction.execute("SELECT 1 / 0")
        worked.append(row.tenant_id)

    with pytest.raises(Internal, match="DivisionByZero"):
        failed_rows(now, due_of(casinos), work)
    assert worked == [casino.tenant_id for casino in casinos[1:]]


def test_loop_ends_when_the_time_budget_is_used_up(
    casinos: list[Casino], invocation: Callable[..., Invocation]
) -> None:
    worked: list[UUID] = []

    failed_rows(invocation(True, True, False), due_of(casinos), lambda _, row: worked.append(row.tenant_id))
    assert worked == [casino.tenant_id for casino in casinos[:2]]


def test_job_that_cannot_read_its_due_rows_fails(invocation: Callable[..., Invocation]) -> None:
    def unreadable(transaction: psycopg.Connection[Any]) -> list[Any]:
        return transaction.execute("SELECT * FROM data_keys_due_v1('1 day')").fetchall()

    with pytest.raises(CausewayError, match="InsufficientPrivilege"):
        failed_rows(invocation(), unreadable, lambda *_: None)
    nowhere = Database(host="127.0.0.1", port=9, user="hub", dbname=str(uuid4()))
    with pytest.raises(Unavailable):
        failed_rows(invocation(database=nowhere), unreadable, lambda *_: None)


# ---- A schedule's call ----

SECRET = "causeway/staging/database/causeway_hub"


def called(*has_time: bool) -> SimpleNamespace:
    """Lambda's context; has_time: the answers of the time budget, True after them. The first is asked for the limit."""
    answers = iter((True, *has_time))
    return SimpleNamespace(
        aws_request_id="invocation", get_remaining_time_in_millis=lambda: 60_000 if next(answers, True) else 0
    )


@pytest.fixture
def database_at(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Makes the database of this URL the function's own."""

    def forget() -> None:
        postgres.current().close()
        for cached in (settings.database, settings.secrets_extension_url, postgres.current, secrets.current):
            cached.cache_clear()

    with SecretsServer() as extension:

        def give(url: str) -> None:
            parts = conninfo_to_dict(url)
            extension.secrets[SECRET] = {"password": str(parts.get("password"))}
            for name, value in {
                "AWS_SESSION_TOKEN": "session-token",
                "SECRETS_EXTENSION_URL": extension.url,
                "DATABASE_HOST": str(parts["host"]),
                "DATABASE_PORT": str(parts["port"]),
                "DATABASE_NAME": str(parts["dbname"]),
                "DATABASE_USER": str(parts["user"]),
                "DATABASE_SECRET": SECRET,
            }.items():
                monkeypatch.setenv(name, value)
            forget()

        yield give
    forget()


def test_schedules_call_waits_until_a_paused_database_is_awake(
    casino: Casino, database_at: Callable[[str], None]
) -> None:
    """It wakes in about 15 seconds, and a statement is given up after fewer: each hour's call would fail."""
    with CuttingProxy(casino.urls["hub"]) as proxy:
        database_at(proxy.url)
        proxy.silent = 2

        with invocations.of_schedule(called(), reserve=0) as invocation:
            assert proxy.silent == 0
            assert invocation.database.one("SELECT 1 AS one", []).one == 1


def test_sync_waits_until_a_paused_database_is_awake(casino: Casino, database_at: Callable[[str], None]) -> None:
    """Its message would come again after minutes, when the database may have paused again, and fail in the end."""
    spec = spec_from_file_location("sync_run", ROOT / "functions" / "sync" / "run.py")
    assert spec is not None
    assert spec.loader is not None
    function = module_from_spec(spec)
    spec.loader.exec_module(function)
    message = {"messageId": "1", "body": json.dumps({"tenantId": str(uuid4()), "rowId": str(uuid4())})}
    records = [message | {"eventSource": "aws:sqs", "attributes": {}, "messageAttributes": {}}]
    context = called()
    context.function_name, context.memory_limit_in_mb, context.invoked_function_arn = "SyncRun", 1024, "arn"

    with CuttingProxy(casino.urls["hub"]) as proxy:
        database_at(proxy.url)
        proxy.silent = 1

        assert function.handler({"Records": records}, context) == {"batchItemFailures": []}
        assert proxy.silent == 0


def test_database_that_does_not_wake_is_left_to_the_parts(database_at: Callable[[str], None]) -> None:
    database_at("postgresql://hub:password@127.0.0.1:9/nothing")

    with invocations.of_schedule(called(True, False), reserve=0) as invocation, pytest.raises(Unavailable):
        invocation.database.one("SELECT 1", [])


def test_schedules_function_without_a_database_waits_for_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_HOST", raising=False)
    settings.database.cache_clear()

    with invocations.of_schedule(called(), reserve=0, uses_database=False) as invocation:
        assert invocation.request_id == "invocation"
