"""Calls at the same time, or while another is running, from threads that each have a database connection."""

import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from typing import Any, LiteralString, TypeVar

import psycopg

from tests.database.world import Casino

Result = TypeVar("Result")


def at_once(calls: Sequence[Callable[[], Result]]) -> list[Result]:
    """Make all calls at the same time, each in a thread; returns the results in order, raises the first exception."""
    barrier = Barrier(len(calls))

    def run(call: Callable[[], Result]) -> Result:
        barrier.wait(30)
        return call()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(run, calls))


@contextmanager
def held(
    casino: Casino, statement: LiteralString, *parameters: Any
) -> Generator[Callable[[Callable[[], Result]], Callable[[], Result]]]:
    """Run a statement as superuser, and commit it once the calls made in the block wait for it.

    waiting(call) makes a call in a thread and waits until it waits for a lock. It returns a function that gives the
    call's result or raises its exception; call that function after the block.
    """
    with ThreadPoolExecutor() as threads, psycopg.connect(casino.urls["superuser"]) as other:
        other.execute(statement, parameters)

        def waiting(call: Callable[[], Result]) -> Callable[[], Result]:
            before = _waiting(casino)
            made = threads.submit(call)
            deadline = time.monotonic() + 10
            while _waiting(casino) == before:
                assert not made.done(), "the call did not wait"
                assert time.monotonic() < deadline, "the call waits for nothing"
                time.sleep(0.005)
            return made.result

        yield waiting
        other.commit()


def _waiting(casino: Casino) -> int:
    return casino.value(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )


def waiting_backend(casino: Casino) -> int:
    """Wait until a backend of the casino's login waits for a lock; returns its process id."""
    statement = """
        SELECT pid FROM pg_stat_activity
        WHERE datname = current_database() AND usename = 'causeway_casino' AND wait_event_type = 'Lock'
    """
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        found = casino.query(statement)
        if found:
            return found[0].pid
        time.sleep(0.005)
    raise AssertionError("no backend waits for a lock")
