"""JSON Schemas (2020-12) of the API's requests and answers, by the names that routes declare."""

from pathlib import Path

from tools.openapi.schemas import (
    api_keys,
    audit,
    calendars,
    connections,
    games,
    refusals,
    syncs,
    templates,
    tenants,
    wallet,
)
from tools.openapi.schemas.shapes import Schema

# The schemas of objects that have a version, which is their ETag.
VERSIONED = frozenset({"Connection", "Template", "Tenant", "Membership", "NewApiKey"})


def every(schema_folder: Path) -> dict[str, Schema]:
    """Return all schemas by name.

    Args:
        schema_folder: the folder with catalogue/, whose files have the shape of a template.
    """
    return {
        **refusals.SCHEMAS,
        **connections.SCHEMAS,
        **syncs.SCHEMAS,
        **calendars.SCHEMAS,
        **templates.schemas(schema_folder),
        **api_keys.SCHEMAS,
        **audit.SCHEMAS,
        **tenants.SCHEMAS,
        **wallet.SCHEMAS,
        **games.SCHEMAS,
        "OpenApi": {"type": "object", "description": "This document.", "required": ["openapi", "info", "paths"]},
    }
