"""Pages of a list: cursors with one valid spelling, the limit, and rows that must fit into an answer."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.errors.requests import InvalidRequest
from causeway.wire import base64url
from causeway.wire.pages import LONGEST_CURSOR, MOST_BYTES, Listing, Page, PageRequest, filter_digest

NUMBERS = Listing("numbers", (int,))
NAMES = Listing("names", (str,))
EVENTS = Listing("events", (datetime, UUID))
SCOPE = UUID("00000000-0000-4000-8000-000000000001")
ID = UUID("00000000-0000-4000-8000-00000000000a")
AT = datetime(2026, 1, 31, 12, 30, 0, 123456, UTC)

TEXTS = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=255)


def spelled(key: Any, listed: str = "events", scope: UUID = SCOPE, direction: str = "after", **more: Any) -> str:
    """A cursor of any content, in the spelling of cursors."""
    written = {"list": listed, "scope": str(scope), "filter": "", direction: key, "place": 0} | more
    return base64url.encode(
        json.dumps(written, separators=(",", ":"), ensure_ascii=False).encode(errors="surrogatepass")
    )


def reached(listing: Listing, cursor: str) -> PageRequest:
    return PageRequest(listing, SCOPE, "", 3).at(cursor)


def test_cursor_carries_the_sort_key_of_the_last_row() -> None:
    for backwards, direction in ((False, "after"), (True, "before")):
        cursor = EVENTS.cursor(SCOPE, (AT, ID), backwards=backwards)
        asked = reached(EVENTS, cursor)

        assert cursor == spelled([AT.isoformat(), str(ID)], direction=direction)
        assert (asked.key, asked.backwards) == ((AT, ID), backwards)


def test_cursor_writes_a_time_of_any_zone_in_utc() -> None:
    zone = timezone(timedelta(hours=5, minutes=30))
    assert EVENTS.cursor(SCOPE, (AT.astimezone(zone), ID)) == EVENTS.cursor(SCOPE, (AT, ID))


@given(TEXTS, st.integers(0, 2**63 - 1), st.datetimes(timezones=st.just(UTC)), st.uuids())
def test_every_key_is_read_back_from_its_cursor(name: str, number: int, at: datetime, identity: UUID) -> None:
    for listing, key in ((NAMES, (name,)), (NUMBERS, (number,)), (EVENTS, (at, identity))):
        cursor = listing.cursor(SCOPE, key)
        assert len(cursor) <= LONGEST_CURSOR
        assert reached(listing, cursor).key == key


def test_longest_text_has_a_cursor() -> None:
    cursor = NAMES.cursor(SCOPE, ("\x01" * 255,))
    assert reached(NAMES, cursor).key == ("\x01" * 255,)


GOOD = [AT.isoformat(), str(ID)]
# Cursors that no list answered, by their fault.
WRONG: dict[str, str] = {
    "empty": "",
    "no base64url": "x",
    "padded": spelled(GOOD) + "=",
    "plain text": "2026-01-31",
    "not JSON": base64url.encode(b"{"),
    "not UTF-8": base64url.encode(b"\xff\xfe"),
    "no object": base64url.encode(b"[1]"),
    "nested a thousand levels deep": base64url.encode(b"[" * 1000),
    "a NUL": "\0",
    "a lone surrogate": "\ud800",
    "without a key": base64url.encode(b'{"list":"events"}'),
    "another list": spelled(GOOD, listed="names"),
    "another scope": spelled(GOOD, scope=UUID(int=2)),
    "another filter": EVENTS.cursor(SCOPE, (AT, ID), filtered=filter_digest({"kind": "x"})),
    "no direction": spelled(GOOD, direction="beside"),
    "both directions": spelled(GOOD, before=GOOD),
    "another field": spelled(GOOD, more=1),
    "without a place": base64url.encode(
        json.dumps({"list": "events", "scope": str(SCOPE), "filter": "", "after": GOOD}, separators=(",", ":")).encode()
    ),
    "a negative place": spelled(GOOD, place=-1),
    "true as a place": spelled(GOOD, place=True),
    "a text as a place": spelled(GOOD, place="1"),
    "a huge place": spelled(GOOD, place=2**63),
    "a blank in its JSON": base64url.encode(
        json.dumps({"list": "events", "scope": str(SCOPE), "filter": "", "after": GOOD, "place": 0}).encode()
    ),
    "too few values": spelled(GOOD[:1]),
    "an empty text of values": spelled(""),
    "an empty object of values": spelled({}),
    "too many values": spelled([*GOOD, 1]),
    "no list of values": spelled(5),
    "numbers": spelled([1, 2]),
    "null": spelled([None, None]),
    "no time": spelled(["yesterday", str(ID)]),
    "a time without zone": spelled(["2026-01-31T12:30:00.123456", str(ID)]),
    "a time of another zone": spelled(["2026-01-31T18:00:00.123456+05:30", str(ID)]),
    "a time in another form": spelled(["20260131T123000Z", str(ID)]),
    "a time before the first": spelled(["0001-01-01T00:00:00+23:59", str(ID)]),
    "a time after the last": spelled(["9999-12-31T23:59:59-23:59", str(ID)]),
    "an infinite time": spelled(["infinity", str(ID)]),
    "an id in another form": spelled([AT.isoformat(), "{00000000-0000-4000-8000-00000000000a}"]),
    "an id in capitals": spelled([AT.isoformat(), str(ID).upper()]),
    "100 KB": spelled([AT.isoformat(), "0" * 100_000]),
    "100 KB of base64url": "A" * 100_000,
}


@pytest.mark.parametrize("wrong", WRONG)
def test_forged_cursor_is_refused(wrong: str) -> None:
    with pytest.raises(InvalidRequest, match="cursor is not one that was answered here"):
        reached(EVENTS, WRONG[wrong])


@pytest.mark.parametrize("value", [-1, 2**63, 10**100, 1.0, 1.5, True, None, "1", [1], {"a": 1}])
def test_cursor_of_a_number_accepts_a_bigint_only(value: object) -> None:
    with pytest.raises(InvalidRequest, match="cursor is not one that was answered here"):
        reached(NUMBERS, spelled([value], listed="numbers"))


@pytest.mark.parametrize("value", ["", "a\0b", "\ud800", 1, None, True, ["a"], {"a": "b"}])
def test_cursor_of_a_text_accepts_only_what_the_database_can_store(value: object) -> None:
    with pytest.raises(InvalidRequest, match="cursor is not one that was answered here"):
        reached(NAMES, spelled([value], listed="names"))


def test_cursor_of_a_text_must_be_a_list() -> None:
    with pytest.raises(InvalidRequest, match="cursor is not one that was answered here"):
        reached(NAMES, spelled("a", listed="names"))


@given(st.text(max_size=200) | st.binary(max_size=200).map(base64url.encode))
def test_any_other_text_is_refused_as_a_cursor(text: str) -> None:
    with pytest.raises(InvalidRequest):
        reached(EVENTS, text)


@pytest.mark.parametrize("other", [{"kind": "y"}, {}, {"kind": "x", "status": "x"}, {"status": "x"}])
def test_cursor_of_another_filter_is_refused(other: dict[str, str]) -> None:
    digest = filter_digest({"kind": "x", "status": None})
    cursor = EVENTS.cursor(SCOPE, (AT, ID), filtered=digest)
    assert PageRequest(EVENTS, SCOPE, digest, 3).at(cursor).key == (AT, ID)

    with pytest.raises(InvalidRequest, match="cursor is not one that was answered here"):
        PageRequest(EVENTS, SCOPE, filter_digest(other), 3).at(cursor)


def test_filter_digest_compares_values_as_they_were_read() -> None:
    zone = timezone(timedelta(hours=5, minutes=30))
    values = {"since": AT, "scope": SCOPE, "active": True, "kind": "x"}

    assert filter_digest({"kind": None}) == filter_digest({}) == ""
    assert filter_digest(dict(reversed(values.items()))) == filter_digest(values | {"since": AT.astimezone(zone)})
    others = [filter_digest(values | other) for other in ({"since": AT + timedelta(microseconds=1)}, {"active": False})]
    assert len({*others, filter_digest(values), filter_digest({"kind": "x"}), filter_digest({"status": "x"})}) == 5


def test_filter_digest_takes_a_moment_that_has_no_datetime_in_utc() -> None:
    before, after = "0001-01-01T00:00:00+12:00", "9999-12-31T23:59:59-12:00"
    digests = {filter_digest({"since": datetime.fromisoformat(text)}) for text in (before, after)}

    assert len(digests) == 2


def row_of(number: int) -> str:
    return f'{{"n":{number}}}'


def read(
    numbers: Sequence[int], cursor: str | None, as_text: Callable[[int], str] = row_of, limit: int = 3
) -> Page[int]:
    """The page of a list of numbers, ascending, read as a database reads it."""
    wanted = PageRequest(NUMBERS, SCOPE, "", limit)
    wanted = wanted if cursor is None else wanted.at(cursor)
    found = [n for n in numbers if not wanted.key or (n < wanted.key[0] if wanted.backwards else n > wanted.key[0])]
    found.sort(reverse=wanted.backwards)
    return wanted.page(found[: limit + 1], lambda number: (number,), as_text)


def walked(numbers: Sequence[int], **how: Any) -> list[Page[int]]:
    """All pages, from the first to the last."""
    pages = [read(numbers, None, **how)]
    while pages[-1].next_cursor is not None:
        pages.append(read(numbers, pages[-1].next_cursor, **how))
    return pages


@pytest.mark.parametrize(("there", "more"), [(0, False), (1, False), (3, False), (4, True)])
def test_next_cursor_is_none_at_the_end(there: int, more: bool) -> None:
    """Also if the last page is full."""
    page = read(range(there), None)

    assert page.items == list(range(min(there, 3)))
    assert page.next_cursor == (NUMBERS.cursor(SCOPE, (2,)) if more else None)
    assert page.prev_cursor is None


@given(st.integers(1, 30), st.integers(1, 7))
def test_pages_are_the_same_forth_and_back(there: int, limit: int) -> None:
    pages = walked(range(there), limit=limit)

    page, back = pages[-1], [pages[-1]]
    while page.prev_cursor is not None:
        page = read(range(there), page.prev_cursor, limit=limit)
        back.insert(0, page)
    assert [one.items for one in back] == [one.items for one in pages]
    # The first page is known as the first, and the cursors forth are the same, too.
    assert back[:-1] == pages[:-1]


@given(st.lists(st.integers(0, 30), min_size=4, unique=True), st.data())
def test_walk_back_has_every_row_that_stayed_once_while_others_come_and_go(numbers: list[int], data: Any) -> None:
    stay, come_and_go = set(numbers[::2]), numbers[1::2]

    def there() -> list[int]:
        return sorted(stay | set(data.draw(st.sets(st.sampled_from(come_and_go)))))

    page = read(there(), None)
    while page.next_cursor is not None:
        page = read(there(), page.next_cursor)
    found = page.items
    while page.prev_cursor is not None:
        page = read(there(), page.prev_cursor)
        found = page.items + found

    assert found == sorted(set(found))
    assert stay <= set(found)


def test_page_whose_rows_were_deleted_leads_back_to_those_that_are_left() -> None:
    beyond = read([1, 2, 3], NUMBERS.cursor(SCOPE, (5,)))
    assert (beyond.items, beyond.next_cursor) == ([], None)
    assert read([1, 2, 3, 4], beyond.prev_cursor).items == [2, 3, 4]

    in_front = read([6, 7, 8], NUMBERS.cursor(SCOPE, (5,), backwards=True))
    assert (in_front.items, in_front.prev_cursor) == ([], None)
    assert read([6, 7, 8, 9], in_front.next_cursor).items == [6, 7, 8]


def test_both_ends_of_a_list_have_no_cursor_beyond() -> None:
    first, last = read(range(9), NUMBERS.cursor(SCOPE, ())), read(range(9), NUMBERS.cursor(SCOPE, (), backwards=True))

    assert (first.items, first.prev_cursor, first.next_cursor) == ([0, 1, 2], None, NUMBERS.cursor(SCOPE, (2,)))
    assert (last.items, last.next_cursor) == ([6, 7, 8], None)
    assert last.prev_cursor == NUMBERS.cursor(SCOPE, (6,), backwards=True)


def rows(count: int, text: str) -> list[dict[str, Any]]:
    return [{"n": number, "text": text} for number in range(count)]


def cut(found: list[dict[str, Any]], limit: int = 100) -> Page[dict[str, Any]]:
    return PageRequest(NUMBERS, SCOPE, "", limit).page(
        found, lambda row: (row["n"],), lambda row: json.dumps(row, ensure_ascii=False)
    )


@pytest.mark.parametrize("count", [0, 1, 100])
def test_page_that_fits_is_complete(count: int) -> None:
    found = rows(count, "short")
    assert cut(found) == Page(found, None, None)


@pytest.mark.parametrize(("character", "size"), [("x", 1), ("ü", 2), ("😀", 4), ("\x01", 6), ('"', 2)])
def test_page_is_cut_by_the_size_of_its_rows_in_bytes(character: str, size: int) -> None:
    found = rows(30, character * (MOST_BYTES // 10 // size))
    assert cut(found) == Page(found[:9], NUMBERS.cursor(SCOPE, (8,), place=9), None)


def test_page_has_at_least_one_row() -> None:
    found = rows(2, "x" * (MOST_BYTES + 1))
    assert cut(found) == Page(found[:1], NUMBERS.cursor(SCOPE, (0,), place=1), None)


def test_last_row_that_fills_a_whole_answer_is_the_end() -> None:
    found = rows(1, "x" * (MOST_BYTES + 1))
    assert cut(found, 1) == Page(found, None, None)


def sized(divisor: Callable[[int], int]) -> Callable[[int], str]:
    """Returns a row's JSON, which is as long as the largest answer by a divisor."""
    return lambda number: "x" * (MOST_BYTES // divisor(number) + 1)


@pytest.mark.parametrize(
    "as_text", [sized(lambda _: 10), sized(lambda number: number % 4 + 2), sized(lambda number: 17 - number % 16)]
)
@pytest.mark.parametrize("limit", [10, 17, 30, 40])
def test_pages_that_come_in_parts_are_the_same_forth_and_back(as_text: Callable[[int], str], limit: int) -> None:
    pages = walked(range(30), as_text=as_text, limit=limit)
    page, back = pages[-1], [pages[-1]]
    while page.prev_cursor is not None:
        page = read(range(30), page.prev_cursor, as_text, limit)
        back.insert(0, page)

    assert len(pages) > 30 // limit
    assert [number for page in back for number in page.items] == [*range(30)]
    # With their cursors: the pages are the same again on a second way forth.
    assert back == pages


def test_limit_that_changes_between_parts_misses_no_row() -> None:
    as_text = sized(lambda number: number % 4 + 2)
    for limits in ((30, 2), (30, 12, 5), (4, 30), (7, 6, 5, 4, 3, 2, 1)):
        for backwards in (False, True):
            found = list[list[int]]()
            cursor: str | None = NUMBERS.cursor(SCOPE, (), backwards=backwards)
            while cursor is not None:
                page = read(range(30), cursor, as_text, limits[len(found) % len(limits)])
                found.append(page.items)
                cursor = page.prev_cursor if backwards else page.next_cursor
            ordered = reversed(found) if backwards else found
            assert [number for items in ordered for number in items] == [*range(30)]
