"""Pages of a list: one form of cursor, one reading of limit and cursor, and as many rows as an answer can hold.

A cursor is base64url of a JSON object: the list, its scope (id of the tenant or object), and the sort key of the last
row shown. The next page continues after this key, whether the row is still there or not.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from causeway.errors.requests import InvalidRequest
from causeway.wire import base64url, strict_json
from causeway.wire.fields import LARGEST_INTEGER, is_storable, known_fields

# Bytes of a page's rows as JSON. Lambda's response is limited to 6 MB. It holds the body as an escaped string, up to
# three times the size of the rows. A hundred calls with their bodies could be 7 MB.
MOST_BYTES = 2_000_000
# Characters of a cursor. The longest key is a person's subject, 255 characters of up to six bytes in JSON.
LONGEST_CURSOR = 4096
_WRONG_CURSOR = "cursor is not one that was answered here"

Row = TypeVar("Row")
Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Rows of a list.

    Attributes:
        next_cursor: the cursor of the next page; None if there are no more rows.
    """

    items: list[Row]
    next_cursor: str | None

    def as_json(self, name: str, as_json: Callable[[Row], dict[str, Any]]) -> dict[str, Any]:
        """Return the page as it is answered: its rows in a field of this name, and nextCursor."""
        return {name: [as_json(row) for row in self.items], "nextCursor": self.next_cursor}


@dataclass(frozen=True, slots=True)
class Listing:
    """A list that is answered in pages.

    Attributes:
        name: unique among the lists; its cursors carry it.
        key: the types of the columns that the list is ordered by, which together are unique: datetime, UUID, int, str.
        most_rows: of a page.
        rows: of a page where the query has no limit.
    """

    name: str
    key: tuple[type, ...]
    most_rows: int = 100
    rows: int = 50

    def request(self, query: dict[str, str], scope: UUID, *filters: str) -> "PageRequest":
        """Read a list's query.

        Args:
            query: the request's.
            scope: the id of the tenant or object whose rows are listed; a cursor of another scope is refused.
            filters: the query's parameters beside limit and cursor; the caller reads them.

        Raises:
            InvalidRequest: names the parameter that is unknown or wrong.
        """
        known_fields(query, {"limit", "cursor", *filters})
        text = query.get("limit", str(self.rows))
        if not (text.isascii() and text.isdecimal() and len(text) < 6 and 1 <= int(text) <= self.most_rows):
            raise InvalidRequest(f"limit must be a number from 1 to {self.most_rows}")
        after = self._parse(query["cursor"], scope) if "cursor" in query else None
        return PageRequest(self, scope, int(text), after)

    def cursor(self, scope: UUID, key: Key) -> str:
        """Return the cursor of the page that follows the row with this sort key."""
        written = {"list": self.name, "scope": str(scope), "after": [_written(value) for value in key]}
        return base64url.encode(json.dumps(written, separators=(",", ":"), ensure_ascii=False).encode())

    def _parse(self, text: str, scope: UUID) -> Key:
        """Return the sort key that a cursor holds; raises InvalidRequest where cursor() does not write it like this."""
        try:
            key = self._key(text)
            written = self.cursor(scope, key)
        except (KeyError, TypeError, ValueError, OverflowError, InvalidRequest) as error:
            raise InvalidRequest(_WRONG_CURSOR) from error
        # Another list's, another scope's, or another spelling.
        if written != text:
            raise InvalidRequest(_WRONG_CURSOR)
        return key

    def _key(self, text: str) -> Key:
        # Decode no text that is longer than any cursor.
        values = strict_json.parse_object(base64url.decode(text[: LONGEST_CURSOR + 1]))["after"]
        return tuple(_READ[kind](value) for kind, value in zip(self.key, values, strict=True))


@dataclass(frozen=True, slots=True)
class PageRequest:
    """The page that a query asks for.

    Attributes:
        limit: its rows at most. Select one row more: it shows whether there is a next page.
        after: the sort key of the last row of the page before; None: the first page.
    """

    listing: Listing
    scope: UUID
    limit: int
    after: Key | None

    def page(
        self,
        found: Sequence[Row],
        key: Callable[[Row], Key],
        as_json: Callable[[Row], dict[str, Any]],
    ) -> Page[Row]:
        """Return the page: as many rows as were asked for, or as many as an answer can hold.

        Args:
            found: the rows after the cursor in the list's order, up to one more than the limit.
            key: returns a row's sort key.
            as_json: returns a row as it is answered: the page ends before MOST_BYTES.
        """
        fitting = _fitting([as_json(row) for row in found[: self.limit]])
        shown = list(found[:fitting])
        return Page(shown, self.listing.cursor(self.scope, key(shown[-1])) if len(found) > len(shown) else None)


def _fitting(rows: Sequence[dict[str, Any]]) -> int:
    """Return how many of a page's first rows an answer can hold: one at least."""
    size = 0
    for number, row in enumerate(rows):
        size += len(json.dumps(row, ensure_ascii=False).encode())
        if number and size > MOST_BYTES:
            return number
    return len(rows)


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
