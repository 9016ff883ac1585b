"""GET /audit: the tenant's audit log, in pages or as CSV."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from causeway.audit_log import entries, records, requests, spreadsheet
from causeway.edge import answers
from causeway.edge.hub import route
from causeway.edge.hub_calls import HubAnswer, HubCall

app = APIGatewayHttpResolver()


@route(
    app,
    "GET",
    "/audit",
    permission="audit.read",
    query="AuditFilter",
    response="AuditPage",
    media_types=("application/json", "text/csv"),
)
def read(call: HubCall) -> HubAnswer:
    """Return a page of entries, newest first; the read becomes an entry too."""
    # Without X-Tenant-Id a super admin reads the deployment's log: the changes of the catalogue.
    wanted = requests.Query.parse(call.query, call.context.caller.tenant_id or entries.DEPLOYMENT)
    with call.context.shared_transaction() as transaction:
        page = records.page(transaction, wanted.only, wanted.page)
        action = entries.Action.AUDIT_EXPORTED if wanted.as_csv else entries.Action.AUDIT_READ
        entries.record(transaction, call.context.entry(action, object_kind="audit_log", after=dict(call.query)))
    if not wanted.as_csv:
        return HubAnswer(page.as_json("entries", records.RecordedEntry.as_json))
    cursors = {"x-next-cursor": page.next_cursor, "x-prev-cursor": page.prev_cursor}
    headers = {"content-disposition": 'attachment; filename="audit.csv"'}
    return HubAnswer(
        spreadsheet.as_csv(page.items),
        headers=headers | {name: cursor for name, cursor in cursors.items() if cursor is not None},
        content_type="text/csv; charset=utf-8",
    )


handler = answers.lambda_handler(app)
