"""Pages of a list: cursors with one valid spelling, the limit, and rows that must fit into an answer."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.errors.requests import InvalidRequest
from causeway.wire import base64url
from causeway.wire.pages import LONGEST_CURSOR, MOST_BYTES, Listing, Page

NUMBERS = Listing("numbers", (int,))
NAMES = Listing("names", (str,))
EVENTS = Listing("events", (datetime, UUID), most_rows=1000, rows=100)
SCOPE = UUID("00000000-0000-4000-8000-000000000001")
ID = UUID("00000000-0000-4000-8000-00000000000a")
AT = datetime(2026, 1, 31, 12, 30, 0, 123456, UTC)

TEXTS = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=255)


def spelled(after: Any, listed: str = "events", scope: UUID = SCOPE, **more: Any) -> str:
    """A cursor of any content, in the spelling of cursors."""
    written = {"list": listed, "scope": str(scope), "after": after} | more
    return base64url.encode(
        json.dumps(written, separators=(",", ":"), ensure_ascii=False).encode(errors="surrogatepass")
    )


def test_cursor_carries_the_sort_key_of_the_last_row() -> None:
    cursor = EVENTS.cursor(SCOPE, (AT, ID))

    assert cursor == spelled([AT.isoformat(), str(ID)])
    assert EVENTS.request({"cursor": cursor}, SCOPE).after == (AT, ID)


def test_cursor_writes_a_time_of_any_zone_in_utc() -> None:
    zone = timezone(timedelta(hours=5, minutes=30))
    assert EVENTS.cursor(SCOPE, (AT.astimezone(zone), ID)) == EVENTS.cursor(SCOPE, (AT, ID))


@given(TEXTS, st.integers(0, 2**63 - 1), st.datetimes(timezones=st.just(UTC)), st.uuids())
def test_every_key_is_read_back_from_its_cursor(name: str, number: int, at: datetime, identity: UUID) -> None:
    for listing, key in ((NAMES, (name,)), (NUMBERS, (number,)), (EVENTS, (at, identity))):
        cursor = listing.cursor(SCOPE, key)
        assert len(cursor) <= LONGEST_CURSOR
        assert listing.request({"cursor": cursor}, SCOPE).after == key


def test_longest_text_has_a_cursor() -> None:
    cursor = NAMES.cursor(SCOPE, ("\x01" * 255,))
    assert NAMES.request({"cursor": cursor}, SCOPE).after == ("\x01" * 255,)


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
    "another field": spelled(GOOD, more=1),
    "a blank in its JSON": base64url.encode(
        json.dumps({"list": "events", "scope": str(SCOPE), "after": GOOD}).encode()
    ),
    "too few values": spelled(GOOD[:1]),
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
        EVENTS.request({"cursor": WRONG[wrong]}, SCOPE)


@pytest.mark.parametrize("value", [-1, 2**63, 10**100, 1.0, 1.5, True, None, "1", [1], {"a": 1}])
def test_cursor_of_a_number_accepts_a_bigint_only(value: object) -> None:
    with pytest.raises(InvalidRequest, match="cursor is not one that was answered here"):
        NUMBERS.request({"cursor": spelled([value], listed="numbers")}, SCOPE)


@pytest.mark.parametrize("value", ["", "a\0b", "\ud800", 1, None, True, ["a"], {"a": "b"}])
def test_cursor_of_a_text_accepts_only_what_the_database_can_store(value: object) -> None:
    with pytest.raises(InvalidRequest, match="cursor is not one that was answered here"):
        NAMES.request({"cursor": spelled([value], listed="names")}, SCOPE)


def test_cursor_of_a_text_must_be_a_list() -> None:
    with pytest.raises(InvalidRequest, match="cursor is not one that was answered here"):
        NAMES.request({"cursor": spelled("a", listed="names")}, SCOPE)


@given(st.text(max_size=200) | st.binary(max_size=200).map(base64url.encode))
def test_any_other_text_is_refused_as_a_cursor(text: str) -> None:
    with pytest.raises(InvalidRequest):
        EVENTS.request({"cursor": text}, SCOPE)


@pytest.mark.parametrize("limit", ["0", "1001", "-1", "1.0", "1e1", "", " 1", "1\n", "\u0663", "9" * 5000, "x"])
def test_limit_out_of_bounds_is_refused(limit: str) -> None:
    with pytest.raises(InvalidRequest, match="limit must be a number from 1 to 1000"):
        EVENTS.request({"limit": limit}, SCOPE)


def test_limit_is_the_lists_by_default() -> None:
    assert [EVENTS.request(query, SCOPE).limit for query in ({}, {"limit": "1"}, {"limit": "1000"})] == [100, 1, 1000]


def test_parameter_that_the_list_does_not_know_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="kind is not a field"):
        EVENTS.request({"kind": "x"}, SCOPE)
    assert EVENTS.request({"kind": "x"}, SCOPE, "kind").limit == 100


@pytest.mark.parametrize(("there", "more"), [(0, False), (1, False), (3, False), (4, True)])
def test_next_cursor_is_none_at_the_end(there: int, more: bool) -> None:
    """Also if the last page is full."""
    page = NUMBERS.request({"limit": "3"}, SCOPE).page(
        list(range(there)), lambda number: (number,), lambda number: {"n": number}
    )

    assert page.items == list(range(min(there, 3)))
    assert page.next_cursor == (NUMBERS.cursor(SCOPE, (2,)) if more else None)


def test_page_is_answered_with_its_rows_and_next_cursor() -> None:
    assert Page([1, 2], "c").as_json("numbers", lambda number: {"n": number}) == {
        "numbers": [{"n": 1}, {"n": 2}],
        "nextCursor": "c",
    }


def rows(count: int, text: str) -> list[dict[str, Any]]:
    return [{"n": number, "text": text} for number in range(count)]


def cut(found: list[dict[str, Any]], limit: int = 100) -> Page[dict[str, Any]]:
    return NUMBERS.request({"limit": str(limit)}, SCOPE).page(found, lambda row: (row["n"],), dict)


@pytest.mark.parametrize("count", [0, 1, 100])
def test_page_that_fits_is_complete(count: int) -> None:
    found = rows(count, "short")
    assert cut(found) == Page(found, None)


@pytest.mark.parametrize(("character", "size"), [("x", 1), ("ü", 2), ("😀", 4), ("\x01", 6), ('"', 2)])
def test_page_is_cut_by_the_size_of_its_rows_in_bytes(character: str, size: int) -> None:
    found = rows(30, character * (MOST_BYTES // 10 // size))
    assert cut(found) == Page(found[:9], NUMBERS.cursor(SCOPE, (8,)))


def test_page_has_at_least_one_row() -> None:
    found = rows(2, "x" * (MOST_BYTES + 1))
    assert cut(found) == Page(found[:1], NUMBERS.cursor(SCOPE, (0,)))


def test_last_row_that_fills_a_whole_answer_is_the_end() -> None:
    found = rows(1, "x" * (MOST_BYTES + 1))
    assert cut(found, 1) == Page(found, None)
