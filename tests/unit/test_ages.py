"""Ages by two clocks: the one that counted more decides."""

from math import inf

from causeway.aws import ages
from tests.unit.clock import Clock


def test_age_is_what_passed_by_both_clocks() -> None:
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


def test_what_was_kept_before_the_wall_clock_went_back_is_too_old() -> None:
    """Frozen and set back at once, nothing would say how old it is."""
    clock = Clock()
    since = clock()
    clock.set_wall(-3600)

    assert ages.age(since, clock()) == inf


def test_never_is_older_than_any_limit() -> None:
    assert ages.age(ages.NEVER, ages.now()) == inf


def test_the_present_does_not_go_back() -> None:
    first = ages.now()

    assert 0 <= ages.age(first, ages.now()) < 60
