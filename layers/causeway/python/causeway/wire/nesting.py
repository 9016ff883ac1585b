"""How deep a JSON value is nested."""

from typing import Any


def is_deeper(value: Any, levels: int) -> bool:
    """Return whether a JSON value has fields or items that stand `levels` levels inside it, or deeper.

    Args:
        value: as json.loads returns it.
        levels: 1: the value's own fields or items.
    """
    level = [value]
    for _ in range(levels):
        level = [
            inner
            for outer in level
            if isinstance(outer, (dict, list))
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
    return bool(level)
