"""The API keys of a tenant's machines."""

from causeway.tenancy import api_keys
from tools.openapi.schemas.shapes import ID, TEXT, TIME, VERSION, Schema, object_of, or_null, page_of, page_query, text

_KEY = {
    "id": ID,
    "name": TEXT,
    "channel": or_null(TEXT),
    "createdBy": TEXT,
    "createdAt": TIME,
    "lastUsedAt": or_null(TIME),
    "revokedAt": or_null(TIME),
    "version": VERSION,
}

SCHEMAS: dict[str, Schema] = {
    "ApiKeyDraft": object_of({"name": text(100), "channel": or_null(text(100))}, "channel"),
    "ApiKey": object_of(_KEY),
    "NewApiKey": object_of(
        _KEY
        | {
            "apiKey": or_null({"type": "string"})
            | {"description": "The key; it is shown only here, and is null in a replay of the call."},
            "nextAction": TEXT | {"description": "Only in a replay: what to do if the key was lost."},
        },
        "nextAction",
    ),
    "ApiKeyPage": page_of("apiKeys", "ApiKey"),
    "ApiKeyQuery": page_query(api_keys.LISTING),
}
