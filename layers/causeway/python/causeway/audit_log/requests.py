"""The query of GET /audit."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from causeway.wire import example_ids
from causeway.wire.field_types import Omittable, Time
from causeway.wire.page_models import Limit, PageQuery
from causeway.wire.pages import Listing, PageRequest

# Entries of a page.
_MOST = 1000


class AuditQuery(PageQuery):
    """GET /audit: the entries whose fields equal the texts that are sent, in a span of time."""

    # The parameters have the names of the log's columns, as the cells of the CSV.
    model_config = ConfigDict(alias_generator=None)

    filtered_by = ("action", "actor", "object_kind", "object_id", "outcome", "since", "until")

    limit: Annotated[int, Limit(_MOST)] = Field(100, description=f"As CSV: {_MOST} by default.")
    action: Omittable[str] = Field(None, examples=["connection.changed"])
    actor: Omittable[str] = Field(None, examples=[example_ids.SUBJECT])
    object_kind: Omittable[str] = Field(None, examples=["connection"])
    object_id: Omittable[str] = Field(None, examples=[example_ids.OBJECT_ID])
    outcome: Omittable[Literal["done", "refused", "failed"]] = Field(None, examples=["refused"])
    since: Omittable[Time] = Field(None, description="The first moment.")
    until: Omittable[Time] = Field(None, description="The moment after the last.")
    format: Literal["json", "csv"] = Field("json", examples=["csv"])

    def request(self, listing: Listing, scope: UUID) -> PageRequest:
        """Return the request for the page; an export takes as many entries at once as it can."""
        if self.format == "csv" and "limit" not in self.model_fields_set:
            return self.model_copy(update={"limit": _MOST}).request(listing, scope)
        return super().request(listing, scope)
