"""Health with hysteresis: HUB 46."""

from itertools import pairwise

import pytest

from causeway.connections.health import HealthState, next_state
from causeway.platforms.verdicts import Effect

GOOD, REFUSED, UNUSABLE, BUSY, PASSING = (
    Effect.GOOD,
    Effect.REFUSED,
    Effect.UNUSABLE,
    Effect.BUSY,
    Effect.PASSING,
)


def course(*effects: Effect) -> list[str]:
    """The health after each observation."""
    seen: list[str] = []
    now: HealthState | None = None
    for effect in effects:
        now = next_state(now, effect)
        seen.append(now.health)
    return seen


@pytest.mark.parametrize(
    ("effects", "expected"),
    [
        ([GOOD], ["healthy"]),
        ([GOOD, PASSING, GOOD, GOOD, GOOD, PASSING], ["healthy"] * 6),
        ([GOOD, PASSING, GOOD, GOOD, PASSING], ["healthy"] * 4 + ["degraded"]),
        ([GOOD] + [PASSING] * 3, ["healthy", "healthy", "degraded", "down"]),
        ([PASSING, PASSING, PASSING], ["degraded", "degraded", "down"]),
        ([PASSING, GOOD, PASSING, PASSING], ["degraded"] * 4),
        ([PASSING] * 3 + [GOOD] * 3, ["degraded", "degraded", "down", "degraded", "degraded", "healthy"]),
        ([PASSING] * 3 + [GOOD, PASSING], ["degraded", "degraded", "down", "degraded", "degraded"]),
        ([BUSY] * 5, ["degraded"] * 5),
        ([GOOD] + [BUSY] * 5, ["healthy", "healthy"] + ["degraded"] * 4),
        ([GOOD] + [BUSY] * 3 + [PASSING] * 3, ["healthy", "healthy"] + ["degraded"] * 4 + ["down"]),
        ([PASSING, BUSY, PASSING, BUSY, PASSING], ["degraded"] * 4 + ["down"]),
        ([PASSING] * 3 + [BUSY], ["degraded", "degraded", "down", "down"]),
        ([GOOD, REFUSED, GOOD], ["healthy", "down", "degraded"]),
        ([UNUSABLE], ["down"]),
    ],
)
def test_health_changes_by_what_is_seen_in_a_row(effects: list[Effect], expected: list[str]) -> None:
    """HUB 46: waits that a platform asks for never count towards down."""
    assert course(*effects) == expected


@pytest.mark.parametrize(("good", "changes"), [(1, 1), (2, 1), (3, 0), (4, 0)])
def test_platform_that_errs_now_and_then_does_not_flap(good: int, changes: int) -> None:
    """HUB 46: if every second or third call fails, health changes once; every fourth or fewer: never."""
    seen = course(GOOD, *([PASSING] + [GOOD] * good) * 50)

    assert sum(before != after for before, after in pairwise(seen)) == changes
