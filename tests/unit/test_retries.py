"""When a call is tried again (HUB 10, 11)."""

import pytest

from causeway.outbound import failures, retries
from causeway.outbound.retries import Ending, Repetition


@pytest.mark.parametrize(
    ("method", "repetition"),
    [
        *(("GET", "repeatable"), ("head", "repeatable"), ("PUT", "repeatable"), ("DELETE", "repeatable")),
        *(("POST", "once"), ("PATCH", "once"), ("TRACE", "once")),
    ],
)
def test_method_tells_what_a_second_request_does(method: str, repetition: Repetition) -> None:
    """RFC 9110, 9.2.2."""
    assert retries.repetition_of(method) == repetition


@pytest.mark.parametrize(
    ("ending", "repetition", "again"),
    [
        *(("busy", "repeatable", True), ("busy", "keyed", True), ("busy", "once", False)),
        *(("unprocessed", "repeatable", True), ("unprocessed", "keyed", True), ("unprocessed", "once", True)),
        *(("broken", "repeatable", True), ("broken", "keyed", True), ("broken", "once", False)),
        *(("final", "repeatable", False), ("final", "keyed", False), ("final", "once", False)),
    ],
)
def test_answer_decides_with_what_a_second_request_does(ending: Ending, repetition: Repetition, again: bool) -> None:
    assert retries.may_repeat(ending, repetition) is again


def test_call_without_an_answer_is_tried_again_unless_it_may_have_been_done() -> None:
    passing = (failures.ConnectFailed, failures.DnsUnavailable, failures.Garbled)
    lasting = (
        failures.TimedOut,
        failures.TlsFailed,
        failures.AddressBlocked,
        failures.RequestInvalid,
        failures.TooLarge,
    )
    for kind in (*passing, *lasting):
        for sent in (False, True):
            failure = kind("why")
            failure.sent = sent
            expected = kind in passing
            assert retries.may_repeat_failure(failure, "repeatable") is expected
            assert retries.may_repeat_failure(failure, "keyed") is expected
            assert retries.may_repeat_failure(failure, "once") is (expected and not sent)


def test_backoff_is_random_from_nothing_to_a_limit_that_doubles() -> None:
    for attempt, most in ((1, 0.5), (2, 1), (3, 2), (4, 4), (5, 8), (6, 8), (60, 8)):
        drawn = [retries.backoff(attempt) for _ in range(300)]
        assert 0 <= min(drawn) < most / 3
        assert most * 2 / 3 < max(drawn) <= most


def test_wait_is_never_shorter_than_the_platform_asks() -> None:
    assert all(7 <= retries.wait(1, 7) <= 7.5 for _ in range(50))
    assert all(0 <= retries.wait(1, None) <= 0.5 for _ in range(50))


def test_short_wait_that_a_platform_asks_for_does_not_shorten_the_backoff() -> None:
    drawn = [retries.wait(4, 0.1) for _ in range(300)]

    assert min(drawn) >= 0.1
    assert 3 < max(drawn) <= 4
