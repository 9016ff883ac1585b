"""GET /audit: the tenant's audit log, in pages or as CSV."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from causeway import audit_log
from causeway.edge import answers
from causeway.edge.hub import HubAnswer, HubCall, route
from causeway.wire.pages import within_an_answer

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
    """A page of entries, newest first; reading is itself an entry."""
    wanted = audit_log.Query.parse(call.query)
    # A super admin who names no tenant reads the platform's own: the catalogue's changes.
    with call.context.reading() as transaction:
        entries = audit_log.page(transaction, wanted.only, below=wanted.below, limit=wanted.limit)
        action = audit_log.Action.AUDIT_EXPORTED if wanted.as_csv else audit_log.Action.AUDIT_READ
        audit_log.record(transaction, call.context.entry(action, object_kind="audit_log", after=dict(call.query)))
    shown = within_an_answer([entry.as_json() for entry in entries])
    last = len(shown) == len(entries) < wanted.limit
    cursor = None if last else str(shown[-1]["entry"])
    if not wanted.as_csv:
        return HubAnswer({"entries": shown, "nextCursor": cursor})
    headers = {"content-disposition": 'attachment; filename="audit.csv"'}
    return HubAnswer(
        audit_log.as_csv(entries[: len(shown)]),
        headers=headers | ({} if cursor is None else {"x-next-cursor": cursor}),
        content_type="text/csv; charset=utf-8",
    )


handler = answers.lambda_handler(app)
