"""The depth of nesting of a JSON value."""

from typing import Any

import pytest

from causeway.wire.nesting import has_more_levels, is_deeper


@pytest.mark.parametrize(
    ("value", "deepest"),
    [(1, 0), ("text", 0), ({}, 0), ([], 0), ([1], 1), ({"a": 1}, 1), ({"a": [1]}, 2), ([[], {"a": {"b": None}}], 3)],
)
def test_value_is_deeper_than_every_level_it_reaches(value: Any, deepest: int) -> None:
    assert [is_deeper(value, levels) for levels in range(1, 6)] == [levels <= deepest for levels in range(1, 6)]


@pytest.mark.parametrize(
    ("value", "levels"),
    [
        (1, 0),
        ({}, 1),
        ([1], 1),
        ({"a": []}, 2),
        ({"a": [1]}, 2),
        ([[], {"a": {"b": None}}], 3),
        ({"a": [{"b": {}}]}, 4),
    ],
)
def test_every_object_and_list_is_a_level(value: Any, levels: int) -> None:
    assert [has_more_levels(value, most) for most in range(1, 6)] == [most < levels for most in range(1, 6)]
