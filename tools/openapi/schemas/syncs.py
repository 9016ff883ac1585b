"""The syncs of connections."""

from causeway.syncs import runs
from tools.openapi.schemas.shapes import (
    ID,
    NEXT_CURSOR,
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

SCHEMAS: dict[str, Schema] = {
    "SyncRun": object_of(
        {
            "runId": ID,
            "status": {"enum": list(runs.STATUSES)},
            "reason": or_null(TEXT),
            "message": or_null(TEXT),
            "requestedBy": TEXT,
            "requestedAt": TIME,
            "startedAt": or_null(TIME),
            "endedAt": or_null(TIME),
        }
    ),
    "SyncRunPage": object_of({"syncs": list_of(ref("SyncRun")), "nextCursor": NEXT_CURSOR}),
    "SyncRunFilter": query_of({"limit": rows(), "cursor": ID}),
}
