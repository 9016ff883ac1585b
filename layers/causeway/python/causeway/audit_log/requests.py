"""The query of GET /audit."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self
from uuid import UUID

from causeway.audit_log.records import LISTING, TEXT_FILTERS, EntryFilter
from causeway.errors.requests import InvalidRequest
from causeway.wire.fields import choice_field
from causeway.wire.pages import PageRequest


@dataclass(frozen=True, slots=True)
class Query:
    """The query: the filter, the page, and the format (JSON or CSV)."""

    only: EntryFilter
    page: PageRequest
    as_csv: bool

    @classmethod
    def parse(cls, query: dict[str, str], tenant_id: UUID) -> Self:
        """Read the query for the chain of a tenant or of DEPLOYMENT.

        Raises:
            InvalidRequest: names the parameter.
        """
        as_csv = choice_field(query, "format", ("json", "csv"), "json") == "csv"
        # An export takes as many entries at once as it can.
        asked = ({"limit": str(LISTING.most_rows)} if as_csv else {}) | query
        asked.pop("format", None)
        texts = {name: query.get(name) for name in TEXT_FILTERS}
        return cls(
            only=EntryFilter(**texts, since=_time(query, "since"), until=_time(query, "until")),
            page=LISTING.request(asked, tenant_id, *TEXT_FILTERS, "since", "until"),
            as_csv=as_csv,
        )


def _time(query: dict[str, str], name: str) -> datetime | None:
    if name not in query:
        return None
    try:
        time = datetime.fromisoformat(query[name])
    except ValueError:
        time = None
    if time is None or time.tzinfo is None:
        raise InvalidRequest(f"{name} must be a time with its zone, such as 2026-01-31T00:00:00Z")
    return time
