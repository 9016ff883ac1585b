"""The API keys of a tenant's machines."""

from causeway.tenancy import api_keys
from tools.openapi.schemas.shapes import ID, TEXT, TIME, VERSION, Schema, object_of, or_null, page_of, page_query

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
    "ApiKey": object_of(_KEY),
    "ApiKeyPage": page_of("apiKeys", "ApiKey"),
    "ApiKeyQuery": page_query(api_keys.LISTING),
}
