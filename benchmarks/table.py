"""The table of results: figures, their ratio and its bounds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table.

    Attributes:
        ratio: measured / reference.
        at_least, at_most: bounds of the ratio; None: no bound.
    """

    name: str
    figures: str
    ratio: float | None = None
    at_least: float | None = None
    at_most: float | None = None

    @property
    def kept(self) -> bool:
        """Whether the ratio keeps its bounds."""
        ratio = self.ratio
        return ratio is None or (
            (self.at_least is None or ratio >= self.at_least) and (self.at_most is None or ratio <= self.at_most)
        )


def in_turn(
    measured: Callable[[], float], reference: Callable[[], float], rounds: int = 5
) -> tuple[float, float, float]:
    """Measure two rates in turn, because the machine's speed drifts.

    Returns:
        The median of each, and the median of the ratios measured / reference round by round.
    """
    pairs = [(measured(), reference()) for _ in range(rounds)]
    return median(a for a, _ in pairs), median(b for _, b in pairs), median(a / b for a, b in pairs)


def show(rows: Sequence[Row]) -> None:
    """Print the table."""
    print(f"\n{'benchmark':<62}{'figures':<58}{'ratio':>8}  bound")
    for row in rows:
        bound = "" if row.at_least is None else f">= {row.at_least:g}"
        bound = bound if row.at_most is None else f"<= {row.at_most:g}"
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        print(f"{row.name:<62}{row.figures:<58}{ratio:>8}  {bound}{'' if row.kept else '  MISSED'}")
