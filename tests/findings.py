"""What a test of many files or names found: each finding is shown whole, on a line of its own."""

from collections.abc import Iterable

import pytest


def none_of(found: Iterable[object], rule: str = "") -> None:
    """Fail the test if anything was found; pytest cuts a long list in an assert.

    Args:
        found: the findings; the text of each names the file or name, and what is wrong.
        rule: what each finding breaks, or what to do.
    """
    lines = [f"{one}: {rule}" if rule else str(one) for one in found]
    if lines:
        pytest.fail("\n".join(lines), pytrace=False)
