"""GET /audit: the tenant's audit log, in pages or as CSV."""

import json
from datetime import datetime
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from causeway import api, audit_log
from causeway.errors import InvalidRequest
from causeway.fields import choice_field, known_fields, limit_field, number_field
from causeway.hub_api import HubAnswer, HubCall, hub_call
from causeway.operations import describe

app = APIGatewayHttpResolver()

# Of entries in an answer: Lambda's takes 6 MB, and CSV doubles every quote.
_MOST_BYTES = 2_500_000
_FILTERS = ("action", "actor", "object_kind", "object_id", "outcome")


@app.get("/audit")
@hub_call(app, "audit.read")
@describe("AuditPage", query="AuditFilter", media_types=("application/json", "text/csv"))
def read(call: HubCall) -> HubAnswer:
    """A page of entries, newest first; reading is itself an entry."""
    query = call.query
    known_fields(query, {*_FILTERS, "since", "until", "limit", "cursor", "format"})
    as_csv = choice_field(query, "format", ("json", "csv"), "json") == "csv"
    only = audit_log.Filter(
        **{name: query.get(name) for name in _FILTERS}, since=_time(query, "since"), until=_time(query, "until")
    )
    limit = limit_field(query, audit_log.MOST, audit_log.MOST if as_csv else 100)
    # A super admin who names no tenant reads the platform's own: the catalogue's changes.
    with call.context.reading() as transaction:
        entries = audit_log.page(transaction, only, below=number_field(query, "cursor"), limit=limit)
        action = audit_log.Action.AUDIT_EXPORTED if as_csv else audit_log.Action.AUDIT_READ
        audit_log.record(transaction, call.context.entry(action, object_kind="audit_log", after=dict(query)))
    shown, whole = _within_an_answer(entries)
    cursor = None if whole and len(entries) < limit else str(entries[len(shown) - 1].entry)
    if as_csv:
        headers = {"content-disposition": 'attachment; filename="audit.csv"'} | (
            {"x-next-cursor": cursor} if cursor else {}
        )
        return HubAnswer(
            audit_log.as_csv(entries[: len(shown)]), headers=headers, content_type="text/csv; charset=utf-8"
        )
    return HubAnswer({"entries": shown, "nextCursor": cursor})


def _within_an_answer(entries: list[audit_log.Record]) -> tuple[list[dict[str, Any]], bool]:
    """As many entries as an answer holds, one at least, and whether those are all."""
    shown: list[dict[str, Any]] = []
    size = 0
    for entry in entries:
        one = _shown(entry)
        size += len(json.dumps(one, ensure_ascii=False).encode())
        if shown and size > _MOST_BYTES:
            return shown, False
        shown.append(one)
    return shown, True


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


def _shown(entry: audit_log.Record) -> dict[str, Any]:
    return {
        "entry": entry.entry,
        "at": entry.at.isoformat(),
        "actorKind": entry.actor_kind,
        "actor": entry.actor,
        "actorRole": entry.actor_role,
        "action": entry.action,
        "objectKind": entry.object_kind,
        "objectId": entry.object_id,
        "outcome": entry.outcome,
        "before": entry.before,
        "after": entry.after,
        "sourceIp": entry.source_ip,
        "requestId": entry.request_id,
        "hash": entry.hash,
    }


handler = api.lambda_handler(app)
