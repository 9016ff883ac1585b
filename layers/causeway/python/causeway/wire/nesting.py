"""How deep a JSON value is nested."""

from typing import Any


def is_deeper(value: Any, levels: int) -> bool:
    """Return whether a JSON value has fields or items that stand `levels` levels inside it, or deeper.

    Args:
        value: as json.loads returns it.
        levels: 1: the value's own fields or items.
    """
    return bool(_at(value, levels))


def has_more_levels(value: Any, most: int) -> bool:
    """Return whether a JSON value has more levels of objects and lists; the value itself is one, and empty ones count.

    Args:
        value: as json.loads returns it.
        most: levels, 1 or more.
    """
    return any(isinstance(one, (dict, list)) for one in _at(value, most))


def _at(value: Any, levels: int) -> list[Any]:
    """Return the fields and items that stand so many levels inside a value."""
    level = [value]
    for _ in range(levels):
        level = [
            inner
            for outer in level
            if isinstance(outer, (dict, list))
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
    return level
