"""A connection used by 64 callers of one tenant: their rate should not be lower than that of 8 callers."""

import json
import os
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from uuid import UUID

from benchmarks.table import Row, in_turn
from benchmarks.workers import rate
from causeway.calendars import calendars
from causeway.database.postgres import Database
from causeway.tenancy.context import RequestContext
from causeway.tenancy.identity import Caller
from local.sandbox.registry import demo_credentials
from local.services.demo_data import CASINO_CODE, TENANT_ID
from local.stack import Stack
from local.temporary_folders import temporary_folder

_MANY, _FEW = 64, 8
# Processes; the callers are their threads, each with a database session of its own.
_PROCESSES = 2
# Calls of each caller, one after the other, between two readings of the clock.
_CALLS = 4
_SECONDS = 5
_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Place:
    """The input of a worker.

    Attributes:
        variables: the function's environment variables.
        connection_id: of the connection to use.
        threads: the number of callers in its process.
    """

    variables: dict[str, str]
    connection_id: str
    threads: int


def callers(place: Place) -> Callable[[], None]:
    """Start the callers of this process; return a function in which each caller uses the connection four times."""
    os.environ.update(place.variables)
    machine = Caller("machine", "00000000-0000-4000-8000-00000000000a", "service", UUID(TENANT_ID))
    contexts = [RequestContext(machine, "203.0.113.7", "benchmark", Database()) for _ in range(place.threads)]
    pool = ThreadPoolExecutor(place.threads)

    def use(context: RequestContext) -> None:
        for _ in range(_CALLS):
            if not calendars.list_calendars(context, UUID(place.connection_id)):
                raise RuntimeError("the platform has no calendars")

    # Fill the cache of data keys.
    use(contexts[0])

    def once() -> None:
        list(pool.map(use, contexts))

    return once


def used(stack: Stack, connection_id: str, count: int) -> float:
    """Return the calls per second of this many callers together."""
    [function] = [one for one in stack.functions if one.handler == "calendars.handler"]
    threads = count // _PROCESSES
    place = Place(dict(stack.variables(function)), connection_id, threads)
    return rate(callers, place, _PROCESSES, _SECONDS) * threads * _CALLS


def connected(stack: Stack) -> str:
    """Create a connection to the sandbox and return its id."""
    body = {"templateId": "gohighlevel", "name": "Benchmark", "config": demo_credentials("gohighlevel")}
    token = stack.info["tokens"][CASINO_CODE]["tenant_admin"]
    request = urllib.request.Request(  # noqa: S310 - the stack's own address
        f"{stack.base_url}/integrations",
        json.dumps(body).encode(),
        {"authorization": f"Bearer {token}", "content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        return str(json.loads(answer.read())["id"])


def run() -> list[Row]:
    """Measure the calls per second of 64 and of 8 callers."""
    with (
        temporary_folder("causeway-bench") as folder,
        Stack(state_folder=folder) as stack,
    ):
        connection_id = connected(stack)
        many, few, ratio = in_turn(
            lambda: used(stack, connection_id, _MANY), lambda: used(stack, connection_id, _FEW), _ROUNDS
        )
    return [
        Row(
            f"one tenant's connection used, {_MANY} callers / {_FEW} callers",
            f"{many:,.0f}/s, {_FEW} callers {few:,.0f}/s",
            ratio,
            1.0,
        )
    ]
