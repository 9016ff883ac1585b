"""Words of rules that models and configurations share."""

from collections.abc import Sequence

# Fields named in one sentence.
_MOST_NAMES = 20


def unknown_field(known: Sequence[str] | None) -> str:
    """Return the rule that an unknown field breaks.

    Args:
        known: the names of the fields that there are; None: they are not known, or an earlier problem tells them.
    """
    if known is None or len(known) > _MOST_NAMES:
        return "is not a known field"
    return f"is not a known field: the fields are {', '.join(known)}" if known else "is not a field: there are none"


def counted(number: int, noun: str) -> str:
    """Return a number of things in words: "one field", "2 fields"."""
    return f"one {noun}" if number == 1 else f"{number} {noun}s"
