"""The syncs of connections."""

from causeway.syncs import runs
from tools.openapi.schemas.shapes import (
    ID,
    TEXT,
    TIME,
    Schema,
    object_of,
    or_null,
    page_of,
    page_query,
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
    "SyncRunPage": page_of("syncs", "SyncRun"),
    "SyncRunFilter": page_query(runs.LISTING),
}
