"""The list of a tenant's connections, page by page."""

from dataclasses import replace
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from causeway.connections import answers, rows
from causeway.connections.connection import ConnectionRow
from causeway.connections.requests import ConnectionQuery
from causeway.database.paging import KeyColumn, PagedSelect
from causeway.database.postgres import Transaction
from causeway.tenancy.context import RequestContext
from causeway.wire.page_models import PageAnswer
from causeway.wire.pages import PageRequest

# SQL cannot tell whether a template moved: select too many rows; page() drops the others.
_FILTER: LiteralString = """
    c.tenant_id = current_tenant() AND c.deleted_at IS NULL
    AND (%(kind)s::text IS NULL OR p.kind = %(kind)s)
    AND (
        %(status)s::text IS NULL OR c.status = %(status)s
        OR (%(status)s = 'error' AND c.status = 'active' AND p.changed_by_admin)
    )
    AND (%(provider)s::text IS NULL OR c.provider_key = %(provider)s)
    AND (%(external_id)s::text IS NULL OR c.external_id = %(external_id)s)
"""
# Newest first.
_KEY = (KeyColumn("c.created_at", datetime), KeyColumn("c.connection_id", UUID))
PAGES = PagedSelect("connections", rows.SELECT, _FILTER, _KEY, descending=True)


class ConnectionPage(PageAnswer):
    """A page of connections."""

    integrations: list[answers.Connection]


def page(context: RequestContext, query: ConnectionQuery, *, with_config: bool) -> ConnectionPage:
    """Return a page of the tenant's connections, newest first.

    Args:
        context: of the tenant.
        query: as sent.
        with_config: as answers.shown.

    Raises:
        InvalidRequest: the cursor is not one of this list.
    """
    wanted = asked = query.request(PAGES.listing, context.tenant)
    shown: list[answers.Connection] = []
    with context.transaction() as transaction:
        while True:
            found = _found(transaction, query, asked)
            # The database does not know which active connections are shown as an error: there may be too few yet.
            chosen = [one for one in found if query.status in (None, one.shown_status)]
            shown += [answers.shown(one, with_config=with_config) for one in chosen]
            if len(shown) > wanted.rows or len(found) <= wanted.rows:
                break
            asked = replace(asked, key=PAGES.sort_key(found[-1]))
    made = wanted.page(shown, PAGES.sort_key, answers.Connection.as_text)
    return ConnectionPage(integrations=made.items, **made.cursors)


def _found(transaction: Transaction, query: ConnectionQuery, asked: PageRequest) -> list[ConnectionRow]:
    """Return the connections beside the key, one more than a page holds."""
    return [rows.connection(row._asdict()) for row in PAGES.fetch(transaction, asked, query.filters())]
