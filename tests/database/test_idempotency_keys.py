"""Idempotency-Keys in the database: whose lease ran out commits nothing, and the answer that was committed replays."""

import logging
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import Any

import pytest

from causeway.database import idempotency
from causeway.database.idempotency import KeyedRequest, Lease, StoredAnswer
from causeway.database.postgres import Database, Transaction
from causeway.errors.platforms import ProviderOutcomeUnknown
from causeway.errors.requests import IdempotencyKeyReused, InProgress, InvalidRequest
from causeway.errors.service import Unavailable
from tests.database.world import Casino

KEY = "key"
Step = Callable[[Lease, Transaction], None]


def of(name: str) -> StoredAnswer:
    """The answer of the call with this name."""
    return StoredAnswer(201, {}, name)


# The two marks that a call makes in the transactions of its work.
STEPS: dict[str, Step] = {
    "checkpoint": lambda lease, transaction: lease.checkpoint(transaction),
    "store": lambda lease, transaction: lease.store(transaction, of("first")),
}


class Caller:
    """A caller in an execution environment of its own; each of its calls has the same key and request."""

    def __init__(self, casino: Casino) -> None:
        self.casino = casino
        self._database: Database = casino.database("hub")

    @contextmanager
    def transaction(self) -> Generator[Transaction]:
        with self._database.transaction(self.casino.tenant_id) as transaction:
            transaction.execute("SELECT set_config('causeway.subject', 'caller', true)")
            yield transaction

    def call(self, work: Callable[[Lease], Any], request: Any = None, *, acts_on_platform: bool = False) -> Any:
        keyed = KeyedRequest.of(KEY, request, b"secret")
        return idempotency.once(self.transaction, keyed, work, acts_on_platform=acts_on_platform)

    def write(self, transaction: Transaction, name: str) -> None:
        """The change that a call makes: it creates the object with this name."""
        transaction.execute(
            """
            INSERT INTO integration_connections (tenant_id, provider_key, name, created_by)
            VALUES (current_tenant(), 'twilio', %s, 'caller')
            """,
            [name],
        )

    def done(self, lease: Lease, name: str, step: Step | None = None) -> tuple[StoredAnswer, StoredAnswer]:
        """Create the object and mark it in one transaction; step: instead of storing the answer."""
        with self.transaction() as transaction:
            self.write(transaction, name)
            if step is None:
                lease.store(transaction, of(name))
            else:
                step(lease, transaction)
        return of(name), of(name)

    def never(self, lease: Lease) -> Any:
        raise AssertionError(lease)


@pytest.fixture
def callers(casino: Casino) -> tuple[Caller, Caller]:
    """The same caller in two execution environments."""
    return Caller(casino), Caller(casino)


def key_of(casino: Casino) -> Any:
    return casino.query("SELECT * FROM idempotency_keys WHERE idempotency_key = %s", [KEY])[0]


def names(casino: Casino) -> list[str]:
    return [row.name for row in casino.query("SELECT name FROM integration_connections ORDER BY name")]


def run_out(casino: Casino) -> None:
    """Let the key's lease run out."""
    casino.query("UPDATE idempotency_keys SET leased_until = now() - interval '1 s' WHERE idempotency_key = %s", [KEY])


@pytest.mark.parametrize("step", STEPS)
def test_call_whose_lease_was_taken_over_and_answered_commits_nothing(
    casino: Casino, callers: tuple[Caller, Caller], step: str
) -> None:
    first, second = callers

    def slow(lease: Lease) -> Any:
        run_out(casino)
        assert second.call(lambda theirs: second.done(theirs, "second")) == of("second")
        return first.done(lease, "first", STEPS[step])

    with pytest.raises(InProgress):
        first.call(slow)
    assert names(casino) == ["second"]
    assert first.call(first.never) == of("second")


@pytest.mark.parametrize("step", STEPS)
def test_call_whose_lease_was_taken_over_leaves_the_key_to_the_call_at_work(
    casino: Casino, callers: tuple[Caller, Caller], step: str
) -> None:
    """The refused call gives up; the lease of the other call still keeps all others out."""
    first, second = callers
    claimed, gave_up = Event(), Event()

    def quick(lease: Lease) -> Any:
        claimed.set()
        assert gave_up.wait(30)
        return second.done(lease, "second")

    with ThreadPoolExecutor(1) as pool:

        def slow(lease: Lease) -> Any:
            run_out(casino)
            answers.append(pool.submit(second.call, quick))
            assert claimed.wait(30)
            return first.done(lease, "first", STEPS[step])

        answers: list[Any] = []
        try:
            with pytest.raises(InProgress):
                first.call(slow)
            between = key_of(casino)
        finally:
            gave_up.set()
        assert answers[0].result() == of("second")

    assert (between.status, between.begun, between.leased_until > between.created_at) == (None, False, True)
    assert names(casino) == ["second"]
    assert first.call(first.never) == of("second")


@pytest.mark.parametrize("error", [None, ProviderOutcomeUnknown(), Unavailable(), InvalidRequest(), LookupError()])
def test_end_of_a_call_that_was_taken_over_does_not_replace_the_answer(
    casino: Casino, callers: tuple[Caller, Caller], error: Exception | None
) -> None:
    """However it ends: its answer is stored, or its key released, in a transaction after its work."""
    first, second = callers

    def slow(_: Lease) -> Any:
        run_out(casino)
        second.call(lambda theirs: second.done(theirs, "second"))
        if error is not None:
            raise error
        return of("first"), of("first")

    if error is None:
        assert first.call(slow) == of("first")
    else:
        with pytest.raises(type(error)):
            first.call(slow)
    assert first.call(first.never) == of("second")


def test_refused_call_that_committed_a_part_keeps_its_key(casino: Casino, callers: tuple[Caller, Caller]) -> None:
    """Another request must not use the key: the next call with it continues after the part."""
    first, second = callers
    ids = []

    def part(lease: Lease) -> Any:
        ids.append((lease.object_id, lease.resumed))
        first.done(lease, "part", STEPS["checkpoint"])
        raise InvalidRequest

    def rest(lease: Lease) -> Any:
        ids.append((lease.object_id, lease.resumed))
        return second.done(lease, "rest")

    with pytest.raises(InvalidRequest):
        first.call(part)
    with pytest.raises(IdempotencyKeyReused):
        second.call(second.never, "another request")
    assert second.call(rest) == of("rest")
    assert (ids[0][0], ids[0][1], ids[1][1]) == (ids[1][0], False, True)
    assert names(casino) == ["part", "rest"]


def test_call_that_fails_after_it_stored_its_answer_keeps_the_answer(
    casino: Casino, callers: tuple[Caller, Caller]
) -> None:
    first, second = callers

    def late(lease: Lease) -> Any:
        first.done(lease, "done")
        raise InvalidRequest

    with pytest.raises(InvalidRequest):
        first.call(late)
    assert second.call(second.never) == of("done")
    assert names(casino) == ["done"]


def test_failed_call_keeps_its_key_for_the_same_request(casino: Casino, callers: tuple[Caller, Caller]) -> None:
    """A fault of ours (5xx) does not say that nothing was done."""
    first, second = callers

    def fail(_: Lease) -> Any:
        raise Unavailable

    with pytest.raises(Unavailable):
        first.call(fail)
    with pytest.raises(IdempotencyKeyReused):
        second.call(second.never, "another request")
    assert second.call(lambda lease: second.done(lease, "done")) == of("done")


def test_work_at_a_platform_is_not_done_again_after_a_lease_ran_out(
    casino: Casino, callers: tuple[Caller, Caller]
) -> None:
    """The call after it stores that the outcome is unknown; the slow call's answer comes too late."""
    first, second = callers

    def slow(_: Lease) -> Any:
        run_out(casino)
        with pytest.raises(ProviderOutcomeUnknown):
            second.call(second.never, acts_on_platform=True)
        return of("first"), of("first")

    assert first.call(slow, acts_on_platform=True) == of("first")
    with pytest.raises(ProviderOutcomeUnknown):
        second.call(second.never, acts_on_platform=True)


def test_answer_that_cannot_be_stored_is_an_error_in_the_log(casino: Casino, caplog: pytest.LogCaptureFixture) -> None:
    """Its key hangs until the lease runs out, so the fault must not pass in silence."""
    caller = Caller(casino)
    caller.call(lambda _lease: ("answer", StoredAnswer(500, {}, "body")))

    [record] = [vars(record) for record in caplog.records if record.levelno == logging.ERROR]
    assert "idempotency_keys_answer" in record["reason"]
