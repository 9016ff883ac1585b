"""Odd answers of a platform: with the fields that its readers read, and values of any type."""

import ast
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from tests.unit.platform_folders import PLATFORMS

VENDORS = sorted((PLATFORMS / "vendors").glob("*.py"))
STATUSES = st.sampled_from([200, 201, 204, 301, 400, 401, 403, 408, 429, 500, 503]) | st.integers(100, 599)


def constants(file: Path) -> list[Any]:
    """The numbers and words in a reader's source: its field names and codes. A sentence is of no use."""
    nodes = [node for one in (file, *VENDORS) for node in ast.walk(ast.parse(one.read_text()))]
    found = [node.value for node in nodes if isinstance(node, ast.Constant)]
    return [one for one in found if not isinstance(one, str) or len(one.split()) < 4]


def answers(file: Path) -> st.SearchStrategy[dict[str, Any]]:
    """JSON objects with the fields that a reader reads, and others."""
    known = constants(file)
    fields = st.sampled_from([one for one in known if isinstance(one, str)]) | st.text(max_size=3)
    scalars = st.sampled_from([None, True, False, 1.5, *known]) | st.integers() | st.floats() | st.text(max_size=9)
    values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(fields, inner), max_leaves=4)
    return st.dictionaries(fields, values, min_size=1)


def nested(depth: int) -> Any:
    """A value too deep for str()."""
    value: Any = []
    for _ in range(depth):
        value = [value]
    return value
