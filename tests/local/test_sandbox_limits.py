"""The sandbox's answers to too many requests are read rightly, from the wire to the verdict (HUB 10, 17)."""

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

import pytest

from causeway.platforms import registry, retrying
from causeway.platforms.call_terms import CallTerms
from causeway.platforms.kinds.errors import ErrorReader
from causeway.platforms.kinds.limits import LimitReader, Signal
from causeway.platforms.retrying import PlatformRequest
from tests.findings import none_of
from tests.platforms.accounts import demo_account
from tests.platforms.facts import Wait, facts
from tests.platforms.played import Played

FAULTS = [(key, fault, wait) for key, its in sorted(facts().items()) for fault, wait in its.throttled.items()]
# Hours ahead of UTC. Pacific time is read as standard time all year.
HOURS = {"UTC": 0, "Pacific": -8}
PATH = "/limited"


class _Gate:
    """Lets every attempt pass, and keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[Signal] = []

    def admit(self) -> None:
        pass

    def learn(self, signal: Signal) -> None:
        self.told.append(signal)


@pytest.fixture
def played(sandbox_url: str) -> Iterator[str]:
    Played(sandbox_url, "stripe").recover()
    yield sandbox_url
    Played(sandbox_url, "stripe").recover()


def seconds(wait: Wait) -> float | None:
    if not isinstance(wait, str):
        return wait
    now = datetime.now(timezone(timedelta(hours=HOURS[wait])))
    return (datetime(now.year, now.month, now.day, tzinfo=now.tzinfo) + timedelta(days=1) - now).total_seconds()


@pytest.mark.parametrize(("key", "fault", "wait"), FAULTS)
def test_throttled_answer_is_read(played: str, key: str, fault: str, wait: Wait) -> None:
    Played(played, key).fail(fault, seconds=90, path=PATH)
    gate = _Gate()
    terms = CallTerms(
        lambda _: None, gate, errors=registry.find(key, ErrorReader), limits=registry.find(key, LimitReader)
    )
    request = PlatformRequest("GET", PATH, most_attempts=1)
    answered = retrying.call(demo_account(key, played), request, terms)
    expected = seconds(wait)

    assert answered.verdict.code == "RATE_LIMITED"
    [told] = gate.told
    # Clocks and a slow machine.
    assert told.wait == (None if expected is None else pytest.approx(expected, abs=10))
    assert (answered.verdict.retry_after is None) == (wait is None)


def test_every_throttled_answer_of_the_sandbox_has_its_case(played: str) -> None:
    """FedEx's token service has its 403 in the catalogue, as it is no answer to a platform's call."""
    named = {
        (key, fault)
        for key in facts()
        for fault in Played(played, key).faults
        if fault.startswith("throttled") and facts()[key].limits
    }

    missing = named - {("fedex", "throttled_token")} - {(key, fault) for key, fault, _ in FAULTS}
    none_of(
        f"tests/platforms/test_{key}.py: add {fault!r} to throttled of FACTS, with the seconds that it tells for 90"
        for key, fault in sorted(missing)
    )
