"""The audit log's entries and the filter of their list."""

from causeway.audit_log import entries, records
from tools.openapi.schemas.shapes import (
    NUMBER,
    TEXT,
    TIME,
    Schema,
    object_of,
    or_null,
    page_of,
    page_query,
)

_STATE: Schema = {"type": ["object", "null"]}

SCHEMAS: dict[str, Schema] = {
    "AuditFilter": page_query(
        records.LISTING,
        action=TEXT,
        actor=TEXT,
        object_kind=TEXT,
        object_id=TEXT,
        outcome=TEXT,
        since=TIME,
        until=TIME,
        format={"enum": ["json", "csv"], "default": "json"},
    ),
    "AuditEntry": object_of(
        {
            "entry": NUMBER,
            "at": TIME,
            "actorKind": {"enum": ["person", "machine", "system"]},
            "actor": or_null(TEXT),
            "actorRole": or_null(TEXT),
            "action": {"enum": sorted(entries.Action)},
            "objectKind": TEXT,
            "objectId": or_null(TEXT),
            "outcome": {"enum": ["done", "refused", "failed"]},
            "before": _STATE,
            "after": _STATE,
            "sourceIp": or_null(TEXT),
            "requestId": or_null(TEXT),
            "hash": TEXT,
        }
    ),
    "AuditPage": page_of("entries", "AuditEntry"),
}
