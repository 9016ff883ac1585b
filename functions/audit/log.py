"""GET /audit: the tenant's audit log, in pages or as CSV."""

from causeway.audit_log import entries, listing, spreadsheet
from causeway.audit_log.requests import AuditQuery
from causeway.edge.answers import lambda_handler
from causeway.edge.hub import route
from causeway.edge.hub_calls import HubAnswer, HubCall
from causeway.edge.routes import App

app = App()


@route(
    app,
    "GET",
    "/audit",
    permission="audit.read",
    response=listing.AuditPage,
    media_types=("application/json", "text/csv"),
)
def read(call: HubCall, query: AuditQuery) -> HubAnswer:
    """Return a page of entries, newest first; the read becomes an entry too."""
    # Without X-Tenant-Id a super admin reads the deployment's log: the changes of the catalogue.
    wanted = query.request(listing.PAGES.listing, call.context.caller.tenant_id or entries.DEPLOYMENT)
    with call.context.shared_transaction() as transaction:
        page = listing.page(transaction, query, wanted)
        action = entries.Action.AUDIT_READ if query.format == "json" else entries.Action.AUDIT_EXPORTED
        entries.record(transaction, call.context.entry(action, object_kind="audit_log", after=dict(call.query)))
    if query.format == "json":
        return HubAnswer(page)
    cursors = {"x-next-cursor": page.next_cursor, "x-prev-cursor": page.prev_cursor}
    headers = {"content-disposition": 'attachment; filename="audit.csv"'}
    return HubAnswer(
        spreadsheet.as_csv(page.entries),
        headers=headers | {name: cursor for name, cursor in cursors.items() if cursor is not None},
        content_type="text/csv; charset=utf-8",
    )


handler = lambda_handler(app)
