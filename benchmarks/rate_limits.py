"""The rate limiter against the package limits on Redis: decisions per second of 8 processes, and their exactness.

A decision takes from a minute, an hour, a day and a month. limits has no operation that takes from all or none of them.
Its users write one of two things. They take from one window after another, in four commands: a refusal leaves what it
took from the others. Or they test all windows and then take from them, in eight commands: a refusal takes nothing,
unless another process takes between the test and the taking.
"""

import itertools
import multiprocessing
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from uuid import UUID

import limits
import psycopg
from limits.storage import RedisStorage
from limits.strategies import FixedWindowRateLimiter

from benchmarks.redis_server import redis_server
from benchmarks.server import SETTINGS, TENANT_ID
from benchmarks.table import Row, in_turn
from benchmarks.workers import rate
from causeway import migrations
from causeway.database.postgres import Database
from causeway.rate_limits import limiter
from causeway.rate_limits.limits import MOST, Limits
from causeway.rate_limits.subjects import Subject
from local.services import database as local_database
from local.services.postgres import Postgres
from local.stack import ROOT
from local.temporary_folders import temporary_folder

_PROCESSES = 8
_SECONDS = 2
_ROUNDS = 3
# Requests that each process makes for the test of exactness, and the limit that all of them share.
_REQUESTS, _SHARED = 300, 1000


@dataclass(frozen=True, slots=True)
class Place:
    """The input of a worker.

    Attributes:
        url: of the server.
        keys: how many keys the processes choose from.
        most: the limit of a day; the other windows have none that is reached.
        windows: how many windows limits takes from.
    """

    url: str
    keys: int = 1
    most: int = MOST
    windows: int = 4


def ours(place: Place) -> Callable[[], bool]:
    """Return a function that makes one decision by the rate limiter, and returns whether it was granted."""
    database = Database(conninfo=place.url)
    of_key = Limits(MOST, MOST, place.most, MOST)

    def once() -> bool:
        key = Subject("key", f"key-{place.most}-{random.randrange(place.keys)}", of_key)
        return limiter.take(database, [key], tenant_id=TENANT_ID).allowed

    return once


def theirs(place: Place) -> Callable[[], bool]:
    """Return a function that makes one decision by limits on Redis: it takes from one window after another."""
    strategy = FixedWindowRateLimiter(RedisStorage(place.url))
    windows = _windows(place)

    def once() -> bool:
        key = f"key-{place.most}-{random.randrange(place.keys)}"
        return all(strategy.hit(window, key) for window in windows)

    return once


def theirs_tested(place: Place) -> Callable[[], bool]:
    """Return a function that makes one decision by limits on Redis: it tests all windows, then takes from them."""
    strategy = FixedWindowRateLimiter(RedisStorage(place.url))
    windows = _windows(place)

    def once() -> bool:
        key = f"key-{place.most}-{random.randrange(place.keys)}"
        if not all(strategy.test(window, key) for window in windows):
            return False
        return all(strategy.hit(window, key) for window in windows)

    return once


def _windows(place: Place) -> list[limits.RateLimitItem]:
    return [
        *(limits.RateLimitItemPerDay(place.most), limits.RateLimitItemPerMinute(MOST)),
        *(limits.RateLimitItemPerHour(MOST), limits.RateLimitItemPerMonth(MOST)),
    ][: place.windows]


def repeated(setup: Callable[[Place], Callable[[], bool]], place: Place) -> Callable[[], None]:
    """Return a function for benchmarks.workers, which repeats it."""
    once = setup(place)

    def call() -> None:
        if not once():
            raise RuntimeError("a decision refused a request below the limit")

    return call


def granted(setup: Callable[[Place], Callable[[], bool]], place: Place) -> int:
    """Make _REQUESTS decisions and return how many were granted."""
    once = setup(place)
    return sum(once() for _ in range(_REQUESTS))


def _exact(setup: Callable[[Place], Callable[[], bool]], url: str) -> int:
    with multiprocessing.get_context("spawn").Pool(_PROCESSES) as pool:
        place = Place(url, most=_SHARED)
        return sum(pool.starmap(granted, itertools.repeat((setup, place), _PROCESSES)))


def _rows(postgres_url: str, redis_url: str) -> list[Row]:
    rows = []
    for keys, at_least in ((1, 0.75), (1000, 1.0)):
        named = "one key" if keys == 1 else f"{keys:,} keys"
        for named_theirs, other, windows, bound in (
            ("four windows", theirs, 4, at_least),
            ("four windows, tested before", theirs_tested, 4, None),
            ("one window", theirs, 1, None),
        ):
            mine, redis, ratio = in_turn(
                partial(rate, partial(repeated, ours), Place(postgres_url, keys), _PROCESSES, _SECONDS),
                partial(rate, partial(repeated, other), Place(redis_url, keys, windows=windows), _PROCESSES, _SECONDS),
                _ROUNDS,
            )
            name = f"four windows of {named} / limits on Redis, {named_theirs}"
            rows.append(Row(name, f"{mine:,.0f}/s, Redis {redis:,.0f}/s", ratio, bound))
    mine, redis = _exact(ours, postgres_url), _exact(theirs, redis_url)
    figures = f"{mine:,}, Redis {redis:,} of {_PROCESSES * _REQUESTS:,} requests"
    rows.append(Row(f"granted of a limit of {_SHARED:,}, 8 processes / limit", figures, mine / _SHARED, 1.0, 1.0))
    return rows


def run() -> list[Row]:
    """Measure both in turn, with 8 processes on one key and on 1000 keys."""
    with (
        temporary_folder("causeway-bench") as folder,
        Postgres(folder, settings=SETTINGS) as postgres,
        redis_server() as redis_url,
    ):
        database = local_database.create(postgres.url())
        migrations.migrate(database.urls["owner"], ROOT / "schema")
        database = local_database.give_passwords(database)
        _preload(database.urls["superuser"], TENANT_ID)
        return _rows(database.urls["hub"], redis_url)


def _preload(url: str, tenant_id: UUID) -> None:
    """Insert the rows of all keys, and analyse: on an empty table the planner would choose another plan."""
    with psycopg.connect(url, autocommit=True) as superuser:
        superuser.execute(
            """
            INSERT INTO rate_limits (
                tenant_id, kind, subject_id, taken_at, minute_used, hour_used, day_used, month_used
            )
            SELECT %s, 'key', 'key-' || %s || '-' || n, now(), 0, 0, 0, 0 FROM generate_series(0, 999) AS n
            """,
            [tenant_id, MOST],
        )
        superuser.execute("VACUUM (ANALYZE)")
