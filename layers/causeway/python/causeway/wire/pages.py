"""Pages of a list in both directions (keyset pagination): one form of cursor, as many rows as an answer can hold.

A cursor is base64url of a JSON object: the list, its scope (id of the tenant or object), a digest of its filter, and
`after` or `before` with the sort key of a row. `after` asks for the rows that follow the key, `before` for the rows in
front of it, whether the key's row is still there or not. With an empty key, `after` begins with the list's first row,
`before` with its last.

If `limit` rows are too large for an answer, they come in parts, each on a page of its own. A cursor in the middle of
them says how many of the `limit` rows are in front of it (`place`), so that the way back has the same pages.

A page has a cursor to each side that has more rows. The page knows whether rows follow in the direction it was read.
Towards the cursor it does not ask again: it assumes rows. If they were deleted, that page is empty.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Generic, TypeVar
from uuid import UUID

from causeway.errors.requests import InvalidRequest
from causeway.errors.tree import Problem
from causeway.wire import base64url, strict_json
from causeway.wire.field_readers import LARGEST_INTEGER, is_storable

# Bytes of a page's rows as JSON. Lambda's response is limited to 6 MB. It holds the body as an escaped string, up to
# three times the size of the rows. A hundred calls with their bodies could be 7 MB.
MOST_BYTES = 2_000_000
# Characters of a cursor. The longest key is a person's subject, 255 characters of up to six bytes in JSON.
LONGEST_CURSOR = 4096
WRONG_CURSOR = "is not one that was answered here"
# Bytes of a filter's digest. It finds mistakes; a caller who forges one reads only rows that this caller may read.
_DIGEST = 8
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Row = TypeVar("Row")
Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Rows of a list, in its order.

    Attributes:
        next_cursor: the cursor of the page that follows; None if there are no more rows.
        prev_cursor: the cursor of the page before; None if the page begins with the list's first row.
    """

    items: list[Row]
    next_cursor: str | None
    prev_cursor: str | None

    @property
    def cursors(self) -> dict[str, str | None]:
        """The cursors by the names of a PageAnswer's fields."""
        return {"next_cursor": self.next_cursor, "prev_cursor": self.prev_cursor}


@dataclass(frozen=True, slots=True)
class Listing:
    """A list that is answered in pages.

    Attributes:
        name: unique among the lists; its cursors carry it.
        key: the types of the columns that the list is ordered by, which together are unique: datetime, UUID, int, str.
    """

    name: str
    key: tuple[type, ...]

    def cursor(self, scope: UUID, key: Key, *, backwards: bool = False, place: int = 0, filtered: str = "") -> str:
        """Return the cursor of the rows that follow a sort key; backwards: of the rows in front of it.

        Args:
            scope, backwards, place, filtered: as in PageRequest.
            key: the sort key of a row; (): all rows, from the list's first, or backwards from its last.
        """
        written = {
            "list": self.name,
            "scope": str(scope),
            "filter": filtered,
            "before" if backwards else "after": [_written(value) for value in key],
            "place": place,
        }
        return base64url.encode(json.dumps(written, separators=(",", ":"), ensure_ascii=False).encode())

    def parse_key(self, values: list[Any]) -> Key:
        """Return the sort key in a cursor's JSON; raises an error of its types if it is no key of this list."""
        return tuple(_READ[kind](value) for kind, value in zip(self.key if values else (), values, strict=True))


@dataclass(frozen=True, slots=True)
class PageRequest:
    """The page that a query asks for.

    Attributes:
        filtered: the digest of the query's filter.
        limit: rows at most, as the caller asked.
        key: the page begins beside the row with this sort key; (): with the list's first row, or backwards its last.
        backwards: the page is in front of the key, and its rows are found in the reverse order.
        place: how many of `limit` rows that come in parts are in front of the page, or backwards of the key.
    """

    listing: Listing
    scope: UUID
    filtered: str
    limit: int
    key: Key = ()
    backwards: bool = False
    place: int = 0

    @property
    def rows(self) -> int:
        """Rows at most. Select one row more: it shows whether there is another page in this direction."""
        return (self.place or self.limit) if self.backwards else self.limit - self.place

    def at(self, cursor: str) -> "PageRequest":
        """Return the request for the page of a cursor; raises InvalidRequest if no page like this one answered it."""
        try:
            fields = _decoded(cursor)
            backwards = "before" in fields
            key = self.listing.parse_key(fields["before" if backwards else "after"])
            place = _integer(fields["place"])
            written = self._cursor(key, place, backwards=backwards)
        except (KeyError, TypeError, ValueError, OverflowError, InvalidRequest) as error:
            raise InvalidRequest.of_problems([Problem("cursor", WRONG_CURSOR)]) from error
        # Another list's, another scope's, of another filter, or another spelling.
        if written != cursor:
            raise InvalidRequest.of_problems([Problem("cursor", WRONG_CURSOR)])
        # A smaller limit divides the rows elsewhere: begin with the first part.
        return replace(self, key=key, backwards=backwards, place=place if place < self.limit else 0)

    def page(
        self,
        found: Sequence[Row],
        key: Callable[[Row], Key],
        as_text: Callable[[Row], str],
    ) -> Page[Row]:
        """Return the page: as many rows as were asked for, or the part of them that an answer can hold.

        Args:
            found: the rows from the key on, the nearest to it first, up to one more than `rows`.
            key: returns a row's sort key.
            as_text: returns a row's JSON: the page ends before MOST_BYTES.
        """
        together = list(found[: self.rows])
        if self.backwards:
            together.reverse()
        starts = [*_parts([len(as_text(row).encode()) for row in together]), len(together)]
        # The part beside the key.
        first, end = starts[-2:] if self.backwards else starts[:2]
        shown = together[first:end]
        keys = [key(row) for row in shown] or [()]
        reached, beyond = bool(self.key), len(found) > len(shown)
        if self.backwards:
            prev_place, next_place, has_prev, has_next = first, self.place, beyond, reached
        else:
            prev_place, next_place, has_prev, has_next = self.place, (self.place + end) % self.limit, reached, beyond
        return Page(
            shown,
            next_cursor=self._cursor(keys[-1], next_place, backwards=False) if has_next else None,
            prev_cursor=self._cursor(keys[0], prev_place, backwards=True) if has_prev else None,
        )

    def _cursor(self, key: Key, place: int, *, backwards: bool) -> str:
        return self.listing.cursor(self.scope, key, backwards=backwards, place=place, filtered=self.filtered)


def cursor_fault(text: str) -> str | None:
    """Return the rule that a text breaks if it cannot be a cursor of any list; None: PageRequest.at decides."""
    try:
        _decoded(text)
    except (ValueError, InvalidRequest):
        return WRONG_CURSOR
    return None


def _decoded(cursor: str) -> dict[str, Any]:
    # Decode no text that is longer than any cursor.
    return strict_json.parse_object(base64url.decode(cursor[: LONGEST_CURSOR + 1]))


def filter_digest(values: Mapping[str, Any]) -> str:
    """Return a short digest of a filter's values by name; "" if all are None."""
    given = {name: _compared(value) for name, value in values.items() if value is not None}
    return base64url.encode(sha256(json.dumps(given, sort_keys=True).encode()).digest()[:_DIGEST]) if given else ""


def _compared(value: Any) -> str | int:
    """Return a filter's value as a digest has it. A moment near the year 1 or 9999 may have no datetime in UTC."""
    return (value - _EPOCH) // timedelta(microseconds=1) if isinstance(value, datetime) else _written(value)


def _parts(sizes: Sequence[int]) -> list[int]:
    """Return where each part of the rows begins: a part has as many rows as an answer can hold, one at least.

    Args:
        sizes: of the rows, in bytes.
    """
    starts, size = [0], 0
    for number, row in enumerate(sizes):
        size += row
        if number > starts[-1] and size > MOST_BYTES:
            starts.append(number)
            size = row
    return starts


def _written(value: Any) -> str | int:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value if isinstance(value, int) else str(value)


def _integer(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= LARGEST_INTEGER:
        raise ValueError("not a bigint of a row")
    return value


def _text(value: Any) -> str:
    if type(value) is not str or not value or not is_storable(value):
        raise ValueError("not a text of a row")
    return value


def _time(value: Any) -> datetime:
    return datetime.fromisoformat(_text(value)).astimezone(UTC)


def _uuid(value: Any) -> UUID:
    return UUID(_text(value))


_READ: dict[type, Callable[[Any], Any]] = {int: _integer, str: _text, datetime: _time, UUID: _uuid}
