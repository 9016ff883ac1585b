"""The query of GET /audit: filter, page and format."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from causeway.audit_log.listing import PAGES
from causeway.audit_log.requests import AuditQuery
from causeway.errors.requests import InvalidRequest

TENANT = UUID(int=1)


@pytest.mark.parametrize(
    ("query", "limit"),
    [
        ({}, 100),
        ({"format": "json"}, 100),
        ({"format": "csv"}, 1000),
        ({"format": "csv", "limit": "7"}, 7),
        ({"format": "csv", "limit": "100"}, 100),
        ({"limit": "1000"}, 1000),
    ],
)
def test_export_takes_as_many_entries_as_it_can_unless_a_limit_is_sent(query: dict[str, str], limit: int) -> None:
    assert AuditQuery.parse(query).request(PAGES.listing, TENANT).limit == limit


def test_cursor_of_a_page_continues_in_the_other_format_and_with_no_other_filter() -> None:
    cursor = AuditQuery.parse({"actor": "a"}).request(PAGES.listing, TENANT)._cursor((5,), 0, backwards=False)

    export = AuditQuery.parse({"actor": "a", "format": "csv", "cursor": cursor})
    assert export.request(PAGES.listing, TENANT).key == (5,)
    since = {"actor": "a", "since": "2026-01-01T00:00:00Z"}
    for other in ({}, {"actor": "b"}, {"actor": "a", "outcome": "done"}, since):
        with pytest.raises(InvalidRequest, match="cursor is not one that was answered here"):
            AuditQuery.parse(other | {"cursor": cursor}).request(PAGES.listing, TENANT)


def test_filter_has_the_names_of_the_columns_and_times_with_their_zone() -> None:
    sent = {"object_kind": "tenant", "since": "2026-01-31T14:00:00+01:00"}
    found = {name: value for name, value in AuditQuery.parse(sent).filters().items() if value is not None}

    assert found == {"object_kind": "tenant", "since": datetime(2026, 1, 31, 13, tzinfo=UTC)}
    for wrong in ("objectKind", "objectId", "tenant_id"):
        with pytest.raises(InvalidRequest, match=f"{wrong} is not a known field"):
            AuditQuery.parse({wrong: "x"})


@pytest.mark.parametrize("outcome", ["done,failed", "Done", "", "nothing"])
def test_outcome_that_no_entry_has_is_refused(outcome: str) -> None:
    """Sent twice, a parameter arrives as one text with a comma: an empty list would look as if nothing had happened."""
    with pytest.raises(InvalidRequest, match=r"^outcome must be one of done, refused, failed$"):
        AuditQuery.parse({"outcome": outcome})
