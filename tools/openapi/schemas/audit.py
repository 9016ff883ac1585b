"""The audit log's entries, and what they are found by."""

from causeway import audit_log
from tools.openapi.schemas.shapes import (
    NEXT_CURSOR,
    NUMBER,
    NUMBER_CURSOR,
    TEXT,
    TIME,
    Schema,
    list_of,
    object_of,
    or_null,
    query_of,
    ref,
    rows,
)

_STATE: Schema = {"type": ["object", "null"]}

SCHEMAS: dict[str, Schema] = {
    "AuditFilter": query_of(
        {
            "action": TEXT,
            "actor": TEXT,
            "object_kind": TEXT,
            "object_id": TEXT,
            "outcome": TEXT,
            "since": TIME,
            "until": TIME,
            "limit": rows(audit_log.MOST, 100),
            "cursor": NUMBER_CURSOR,
            "format": {"enum": ["json", "csv"], "default": "json"},
        }
    ),
    "AuditEntry": object_of(
        {
            "entry": NUMBER,
            "at": TIME,
            "actorKind": {"enum": ["person", "machine", "system"]},
            "actor": or_null(TEXT),
            "actorRole": or_null(TEXT),
            "action": {"enum": sorted(audit_log.Action)},
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
    "AuditPage": object_of({"entries": list_of(ref("AuditEntry")), "nextCursor": NEXT_CURSOR}),
}
