"""The SQL of a list's pages: the rows beside a sort key, in either direction."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from psycopg.rows import namedtuple_row

from causeway.database.postgres import Transaction
from causeway.wire.pages import PageRequest

_TYPES: dict[type, LiteralString] = {datetime: "timestamptz", UUID: "uuid", int: "bigint", str: "text"}
# The parameters of a sort key.
_KEY: tuple[LiteralString, ...] = ("page_key_1", "page_key_2")


@dataclass(frozen=True, slots=True)
class PagedSelect:
    """The statement that reads the pages of a list.

    Attributes:
        select: up to WHERE.
        where: the conditions of the list and its filter.
        key: the columns of Listing.key. An index that leads to the rows in their order is read in both directions.
        descending: all columns of the key are; otherwise all are ascending.
    """

    select: LiteralString
    where: LiteralString
    key: tuple[LiteralString, ...]
    descending: bool = False

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
        order: LiteralString = ", ".join([column + direction for column in self.key])
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
        columns: LiteralString = ", ".join(self.key)
        typed = zip(_KEY, wanted.listing.key, strict=False)
        values: LiteralString = ", ".join([f"%({name})s::{_TYPES[kind]}" for name, kind in typed])
        comparison: LiteralString = "<" if descending else ">"
        return f"AND ({columns}) {comparison} ({values})"
