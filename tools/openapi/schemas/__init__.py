"""JSON Schemas (2020-12) of what the API's calls take and answer, by the names that routes declare them with."""

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

# Of what carries an ETag: it has a version that a change must name.
VERSIONED = frozenset({"Connection", "Template", "Tenant", "Membership", "NewApiKey"})


def every(schema_folder: Path) -> dict[str, Schema]:
    """Return all schemas by name.

    Args:
        schema_folder: the one with catalogue/, whose shape a template has.
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
