"""The templates of the catalogue; their fields have the shape of the catalogue's files."""

import json
from pathlib import Path

from causeway.catalogue import providers
from tools.openapi.schemas.shapes import TEXT, VERSION, Schema, object_of, page_of, page_query, ref

# Fields whose schemas have a name of their own.
_NAMED = {
    "authentication": "Authentication",
    "healthCall": "HealthCall",
    "baseUrls": "BaseUrls",
    "rateLimits": "RateLimits",
}


def schemas(schema_folder: Path) -> dict[str, Schema]:
    """Return the schemas of templates by name.

    Args:
        schema_folder: the folder with catalogue/, whose files have the shape of a template.
    """
    shape: Schema = json.loads((schema_folder / "catalogue" / "_provider.schema.json").read_bytes())
    fields: dict[str, Schema] = {name: shape["properties"][field] for name, field in providers.FIELDS.items()}
    named = {schema: fields[name] for name, schema in _NAMED.items()}
    fields |= {name: ref(schema) for name, schema in _NAMED.items()}
    active: dict[str, Schema] = {"isActive": {"type": "boolean"}}
    shown: Schema = {"type": "object", "description": "As in TemplateDraft."}
    return {
        **named,
        "TemplateDraft": object_of(fields, "icon"),
        "TemplateChange": object_of(fields | active, *fields, *active, minProperties=1),
        "Template": object_of(
            fields | active | {"name": TEXT, "authentication": shown, "healthCall": shown, "version": VERSION}
        ),
        "TemplatePage": page_of("templates", "Template"),
        "TemplateFilter": page_query(providers.LISTING, category=TEXT, active={"type": "boolean"}),
    }
