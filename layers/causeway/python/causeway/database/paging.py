"""The SQL of a list's pages, by keyset pagination: the rows beside a sort key, in either direction."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString, Protocol, TypeVar
from uuid import UUID

from psycopg.rows import namedtuple_row

from causeway.database.postgres import Transaction
from causeway.wire.pages import Key, Listing, Page, PageRequest

_TYPES: dict[type, LiteralString] = {datetime: "timestamptz", UUID: "uuid", int: "bigint", str: "text"}
# The parameters of a sort key.
_KEY: tuple[LiteralString, ...] = ("page_key_1", "page_key_2")


class _Shown(Protocol):
    """A row as it is answered."""

    def as_text(self) -> str:
        """Return its JSON."""
        ...


Shown = TypeVar("Shown", bound=_Shown)


@dataclass(frozen=True, slots=True)
class KeyColumn:
    """A column of a sort key.

    Attributes:
        sql: the column, as WHERE and ORDER BY name it.
        type: of its values: datetime, UUID, int, str.
        alias: its name in the rows, where SELECT gives it another.
    """

    sql: LiteralString
    type: type
    alias: str = ""

    @property
    def attribute(self) -> str:
        """Its name in the rows."""
        return self.alias or self.sql.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class PagedSelect:
    """A list, and the statement that reads its pages.

    Attributes:
        name: the list's, as in Listing.
        select: up to WHERE.
        where: the conditions of the list and its filter.
        key: the columns of the order, which together are unique. An index that leads to the rows in their order is
            read in both directions.
        descending: all columns of the key are; otherwise all are ascending.
        partitioned: the table is partitioned by the first column of the key.
    """

    name: str
    select: LiteralString
    where: LiteralString
    key: tuple[KeyColumn, ...]
    descending: bool = False
    partitioned: bool = False

    @property
    def listing(self) -> Listing:
        """The list as cursors know it."""
        return Listing(self.name, tuple(column.type for column in self.key))

    def sort_key(self, row: Any) -> Key:
        """Return the sort key of a row, or of an answer that has its columns."""
        return tuple(getattr(row, column.attribute) for column in self.key)

    def page(
        self,
        transaction: Transaction,
        wanted: PageRequest,
        shown: Callable[[Any], Shown],
        parameters: Mapping[str, Any] | None = None,
    ) -> Page[Shown]:
        """Return a page of the list.

        Args:
            transaction: reads the rows.
            wanted: of `listing`.
            shown: returns a row, a named tuple, as it is answered.
            parameters: those of `where`, by name.
        """
        return self.page_of(self.fetch(transaction, wanted, parameters), wanted, shown)

    def page_of(self, rows: Sequence[Any], wanted: PageRequest, shown: Callable[[Any], Shown]) -> Page[Shown]:
        """Return the page of the rows that `fetch` returned. shown: as in `page`."""
        found = [(row, shown(row)) for row in rows]
        page = wanted.page(found, lambda pair: self.sort_key(pair[0]), lambda pair: pair[1].as_text())
        return Page([answer for _, answer in page.items], page.next_cursor, page.prev_cursor)

    def fetch(
        self, transaction: Transaction, wanted: PageRequest, parameters: Mapping[str, Any] | None = None
    ) -> list[Any]:
        """Return a page's rows as named tuples, one more than it shows, the nearest to its key first.

        Args:
            transaction: reads the rows.
            wanted: the page.
            parameters: those of `where`, by name.
        """
        with transaction.cursor(row_factory=namedtuple_row) as cursor:
            return cursor.execute(self.statement(wanted), self.parameters(wanted, parameters or {})).fetchall()

    def statement(self, wanted: PageRequest) -> LiteralString:
        """Return the statement that reads a page."""
        descending = self.descending != wanted.backwards
        direction: LiteralString = " DESC" if descending else ""
        order: LiteralString = ", ".join([column.sql + direction for column in self.key])
        return f"""
            {self.select}
            WHERE ({self.where}) {self._beside(wanted, descending=descending)}
            ORDER BY {order}
            LIMIT %(page_limit)s
        """

    def parameters(self, wanted: PageRequest, more: Mapping[str, Any]) -> dict[str, Any]:
        """Return the statement's parameters. more: those of `where`."""
        return {**more, **dict(zip(_KEY, wanted.key, strict=False)), "page_limit": wanted.rows + 1}

    def _beside(self, wanted: PageRequest, *, descending: bool) -> LiteralString:
        """Return the condition that begins a page at its key: one comparison of rows, with which an index starts."""
        if not wanted.key:
            return ""
        columns: LiteralString = ", ".join([column.sql for column in self.key])
        typed = zip(_KEY, self.key, strict=False)
        values: LiteralString = ", ".join([f"%({name})s::{_TYPES[column.type]}" for name, column in typed])
        comparison: LiteralString = "<" if descending else ">"
        beside: LiteralString = f"AND ({columns}) {comparison} ({values})"
        if not self.partitioned:
            return beside
        # Postgres leaves out partitions by the comparison of a single column, not by that of a row.
        first = self.key[0]
        value: LiteralString = f"%({_KEY[0]})s::{_TYPES[first.type]}"
        return f"AND {first.sql} {comparison}= {value} {beside}"
