"""What callers ask of the audit log: which entries, how many of them, and in which form."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from causeway.audit_log.entries import MOST, TEXT_FILTERS, Filter
from causeway.errors.requests import InvalidRequest
from causeway.wire.fields import choice_field, known_fields, limit_field, number_field


@dataclass(frozen=True, slots=True)
class Query:
    """GET /audit. below: the cursor, a number of an entry, None for the first page; limit: entries."""

    only: Filter
    below: int | None
    limit: int
    as_csv: bool

    @classmethod
    def parse(cls, query: dict[str, str]) -> Self:
        """Read the query; raises InvalidRequest, which names the parameter."""
        known_fields(query, {*TEXT_FILTERS, "since", "until", "limit", "cursor", "format"})
        as_csv = choice_field(query, "format", ("json", "csv"), "json") == "csv"
        texts = {name: query.get(name) for name in TEXT_FILTERS}
        return cls(
            only=Filter(**texts, since=_time(query, "since"), until=_time(query, "until")),
            below=number_field(query, "cursor"),
            limit=limit_field(query, MOST, MOST if as_csv else 100),
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
