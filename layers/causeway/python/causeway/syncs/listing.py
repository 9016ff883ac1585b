"""The list of a connection's syncs, page by page."""

from datetime import datetime
from typing import LiteralString
from uuid import UUID

from causeway.connections import rows
from causeway.connections.connection import ConnectionReference
from causeway.database.paging import KeyColumn, PagedSelect
from causeway.syncs import runs
from causeway.syncs.answers import SyncRun
from causeway.syncs.runs import Run
from causeway.tenancy.context import RequestContext
from causeway.wire.page_models import PageAnswer, PageQuery

# Newest first.
_OF_CONNECTION: LiteralString = "tenant_id = current_tenant() AND connection_id = %(connection)s"
_KEY = (KeyColumn("requested_at", datetime), KeyColumn("run_id", UUID))
PAGES = PagedSelect("syncs", runs.SELECT, _OF_CONNECTION, _KEY, descending=True)


class SyncRunQuery(PageQuery):
    """The syncs that are listed."""


class SyncRunPage(PageAnswer):
    """A page of syncs."""

    syncs: list[SyncRun]


def page(context: RequestContext, reference: ConnectionReference, query: SyncRunQuery) -> SyncRunPage:
    """Return a page of a connection's syncs, newest first.

    Raises:
        InvalidRequest: the cursor is not one of this list.
        ConnectionNotFound.
    """
    with context.transaction() as transaction:
        connection_id = rows.find(transaction, reference).connection_id
        wanted = query.request(PAGES.listing, connection_id)
        found = PAGES.page(
            transaction, wanted, lambda row: SyncRun.of_row(Run(**row._asdict())), {"connection": connection_id}
        )
    return SyncRunPage(syncs=found.items, **found.cursors)
