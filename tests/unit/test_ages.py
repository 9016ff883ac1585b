"""Ages by two clocks: the larger age counts."""

from math import inf

from causeway import ages
from tests.unit.clock import Clock


def test_age_is_the_time_that_passed_by_both_clocks() -> None:
    clock = Clock()
    since = clock()
    clock.go(30)

    assert ages.age(since, clock()) == 30


def test_time_in_a_frozen_environment_counts() -> None:
    clock = Clock()
    since = clock()
    clock.go(5)
    clock.freeze(3600)

    assert ages.age(since, clock()) == 3605


def test_value_kept_before_the_wall_clock_went_back_is_too_old() -> None:
    """If the environment was frozen and the clock set back at the same time, the real age is unknown."""
    clock = Clock()
    since = clock()
    clock.set_wall(-3600)

    assert ages.age(since, clock()) == inf


def test_never_is_older_than_any_limit() -> None:
    assert ages.age(ages.NEVER, ages.now()) == inf


def test_present_does_not_go_back() -> None:
    first = ages.now()

    assert 0 <= ages.age(first, ages.now()) < 60
