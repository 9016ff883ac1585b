"""The model of a list's query: the limit, the cursor, and the filter that a cursor belongs to."""

from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

import pytest

from causeway.errors.requests import InvalidRequest
from causeway.errors.tree import Problem
from causeway.wire.field_types import Flag, Omittable, Time
from causeway.wire.page_models import Limit, PageAnswer, PageQuery
from causeway.wire.pages import Listing

NUMBERS = Listing("numbers", (int,))
SCOPE = UUID("00000000-0000-4000-8000-000000000001")
WRONG = (Problem("cursor", "is not one that was answered here"),)


class Filtered(PageQuery):
    """A list with a filter and limits of its own."""

    filtered_by = ("kind", "active", "since")

    limit: Annotated[int, Limit(1000)] = 100
    kind: Omittable[Literal["a", "b"]] = None
    active: Omittable[Flag] = None
    since: Omittable[Time] = None


class Formatted(Filtered):
    """A list with a parameter that selects no rows."""

    format: Literal["json", "csv"] = "json"


class NumberPage(PageAnswer):
    """A page of numbers."""

    numbers: list[int]


def cursor_of(query: PageQuery) -> str:
    """The cursor of the page after the first one of a query."""
    page = query.request(NUMBERS, SCOPE).page([*range(query.limit + 1)], lambda number: (number,), str)
    assert page.next_cursor is not None
    return page.next_cursor


@pytest.mark.parametrize("limit", ["0", "1001", "-1", "1.0", "1e1", "", " 1", "1\n", "\u0663", "9" * 5000, "x"])
def test_limit_out_of_bounds_is_refused(limit: str) -> None:
    with pytest.raises(InvalidRequest, match=r"^limit must be a number from 1 to 1000$") as refused:
        Filtered.parse({"limit": limit})
    assert refused.value.problems == (Problem("limit", "must be a number from 1 to 1000"),)


def test_limit_is_the_lists_by_default() -> None:
    assert [Filtered.parse(query).limit for query in ({}, {"limit": "1"}, {"limit": "1000"})] == [100, 1, 1000]
    assert [PageQuery.parse(query).limit for query in ({}, {"limit": "007"}, {"limit": "100"})] == [50, 7, 100]
    with pytest.raises(InvalidRequest, match=r"^limit must be a number from 1 to 100$"):
        PageQuery.parse({"limit": "101"})


def test_schema_has_the_bounds_of_the_list() -> None:
    for model, most, default in ((PageQuery, 100, 50), (Filtered, 1000, 100)):
        schema = model.model_json_schema()["properties"]
        assert {"minimum": 1, "maximum": most, "default": default, "type": "integer"}.items() <= schema["limit"].items()
        assert {"minLength": 1, "maxLength": 4096, "type": "string"}.items() <= schema["cursor"].items()


def test_parameter_that_the_list_does_not_know_is_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"^kind is not a known field: the fields are limit, cursor$"):
        PageQuery.parse({"kind": "a"})


@pytest.mark.parametrize("cursor", ["", "x", "\0", "A" * 100_000])
def test_cursor_of_any_other_text_is_refused_alike(cursor: str) -> None:
    with pytest.raises(InvalidRequest, match=r"^cursor is not one that was answered here$") as refused:
        PageQuery.parse({"cursor": cursor}).request(NUMBERS, SCOPE)
    assert refused.value.problems == WRONG


@pytest.mark.parametrize(
    "other",
    [
        {},
        {"kind": "b"},
        {"kind": "a", "active": "true"},
        {"active": "true"},
        {"kind": "a", "since": "2026-01-31T14:00:00Z"},
    ],
)
def test_cursor_of_another_filter_is_refused(other: dict[str, str]) -> None:
    cursor = cursor_of(Filtered.parse({"kind": "a"}))
    assert Filtered.parse({"kind": "a", "cursor": cursor, "limit": "7"}).request(NUMBERS, SCOPE).key == (99,)

    with pytest.raises(InvalidRequest) as refused:
        Filtered.parse(other | {"cursor": cursor}).request(NUMBERS, SCOPE)
    assert refused.value.problems == WRONG


def test_cursor_belongs_to_no_parameter_that_selects_no_rows() -> None:
    cursor = cursor_of(Formatted.parse({"kind": "a"}))
    again = Formatted.parse({"kind": "a", "format": "csv", "cursor": cursor})

    assert again.request(NUMBERS, SCOPE).key == (99,)
    assert set(again.filters()) == {"kind", "active", "since"}


def test_filter_is_the_same_in_another_spelling() -> None:
    """The digest is made of the values as they were read, not of the texts."""
    cursor = cursor_of(Filtered.parse({"since": "2026-01-31T14:00:00+01:00"}))
    again = Filtered.parse({"since": "2026-01-31T13:00:00Z", "cursor": cursor})

    assert again.filters() == {"kind": None, "active": None, "since": datetime(2026, 1, 31, 13, tzinfo=UTC)}
    assert again.request(NUMBERS, SCOPE).key == (99,)


def test_answer_has_the_rows_and_both_cursors() -> None:
    page = PageQuery.parse({"limit": "2"}).request(NUMBERS, SCOPE).page([1, 2, 3], lambda row: (row,), str)
    answer = NumberPage(numbers=page.items, **page.cursors)

    assert answer.as_json() == {"numbers": [1, 2], "nextCursor": NUMBERS.cursor(SCOPE, (2,)), "prevCursor": None}
