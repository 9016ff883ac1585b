"""Pages that must fit an answer."""

import pytest

from causeway.wire.pages import MOST_BYTES, within_an_answer


def rows(count: int, text: str) -> list[dict[str, str]]:
    return [{"n": str(number), "text": text} for number in range(count)]


@pytest.mark.parametrize("count", [0, 1, 100])
def test_page_that_fits_is_shown_whole(count: int) -> None:
    page = rows(count, "short")
    assert within_an_answer(page) == page


@pytest.mark.parametrize(("character", "size"), [("x", 1), ("ü", 2), ("😀", 4), ("\x01", 6), ('"', 2)])
def test_page_is_cut_by_the_bytes_its_rows_take(character: str, size: int) -> None:
    page = rows(30, character * (MOST_BYTES // 10 // size))
    assert within_an_answer(page) == page[:9]


def test_page_has_one_row_at_least() -> None:
    page = rows(2, "x" * (MOST_BYTES + 1))
    assert within_an_answer(page) == page[:1]
