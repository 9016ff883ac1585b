"""The list of a connection's syncs, page by page."""

from datetime import datetime
from typing import LiteralString
from uuid import UUID

from causeway.connections import rows
from causeway.database.paging import PagedSelect
from causeway.syncs import runs
from causeway.syncs.answers import SyncRun
from causeway.syncs.runs import Run
from causeway.tenancy.context import RequestContext
from causeway.wire.page_models import PageAnswer, PageQuery
from causeway.wire.pages import Listing

# Newest first.
LISTING = Listing("syncs", (datetime, UUID))
_OF_CONNECTION: LiteralString = "tenant_id = current_tenant() AND connection_id = %(connection)s"
PAGES = PagedSelect(runs.SELECT, _OF_CONNECTION, ("requested_at", "run_id"), descending=True)


class SyncRunQuery(PageQuery):
    """The syncs that are listed."""


class SyncRunPage(PageAnswer):
    """A page of syncs."""

    syncs: list[SyncRun]


def page(context: RequestContext, connection_id: UUID, query: SyncRunQuery) -> SyncRunPage:
    """Return a page of a connection's syncs, newest first.

    Raises:
        InvalidRequest: the cursor is not one of this list.
        ConnectionNotFound.
    """
    wanted = query.request(LISTING, connection_id)
    with context.transaction() as transaction:
        rows.find(transaction, connection_id)
        found = PAGES.fetch(transaction, wanted, {"connection": connection_id})
    shown = [SyncRun.of_row(Run(*row)) for row in found]
    made = wanted.page(shown, lambda run: (run.requested_at, run.run_id), SyncRun.as_text)
    return SyncRunPage(syncs=made.items, **made.cursors)
