"""The models of lists: the query of a list, with its page and its filter, and the answer, which is a page."""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar
from uuid import UUID

from pydantic import Field, GetCoreSchemaHandler, WithJsonSchema
from pydantic_core import CoreSchema, core_schema

from causeway.wire.field_types import Omittable, checked_by, rule_broken
from causeway.wire.models import Answer, Query
from causeway.wire.pages import LONGEST_CURSOR, Listing, PageRequest, cursor_fault, filter_digest


@dataclass(frozen=True, slots=True)
class Limit:
    """Metadata of the number of rows that a query asks for: Annotated[int, Limit(100)].

    Attributes:
        most: rows.
    """

    most: int

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return the schema: the number is read from its digits, then compared with the limits."""
        limits = core_schema.int_schema(ge=1, le=self.most)
        return core_schema.no_info_before_validator_function(self._number, limits)

    def _number(self, sent: Any) -> int:
        text = str(sent)
        if not (text.isascii() and text.isdecimal() and len(text) < 6 and 1 <= int(text) <= self.most):
            raise rule_broken(f"must be a number from 1 to {self.most}")
        return int(text)


# No limits here: every wrong cursor is refused with one sentence, most of them before the database is asked.
_Cursor = Annotated[
    str, checked_by(cursor_fault), WithJsonSchema({"type": "string", "minLength": 1, "maxLength": LONGEST_CURSOR})
]


class PageQuery(Query):
    """The query of a list. A list with a filter adds its fields, one with other limits replaces `limit`.

    Attributes:
        filtered_by: the fields that select rows. A cursor belongs to their values, and `filters` passes them to SQL.
    """

    filtered_by: ClassVar[tuple[str, ...]] = ()

    limit: Annotated[int, Limit(100)] = 50
    cursor: Omittable[_Cursor] = Field(None, description="nextCursor or prevCursor of a page with the same filter.")

    def filters(self) -> dict[str, Any]:
        """Return the values that select the list's rows by name; None selects all."""
        return {name: getattr(self, name) for name in self.filtered_by}

    def request(self, listing: Listing, scope: UUID) -> PageRequest:
        """Return the request for the page.

        Args:
            listing: the list.
            scope: the id of the tenant or object whose rows are listed; a cursor of another scope is refused.

        Raises:
            InvalidRequest: the cursor is not one of this list, scope and filter.
        """
        wanted = PageRequest(listing, scope, filter_digest(self.filters()), self.limit)
        return wanted if self.cursor is None else wanted.at(self.cursor)


class PageAnswer(Answer):
    """A page of a list. A list adds the field of its rows."""

    next_cursor: str | None = Field(description="The cursor of the next page; null on the last page.", examples=[None])
    prev_cursor: str | None = Field(
        description="The cursor of the page before; null on the first page.", examples=[None]
    )
