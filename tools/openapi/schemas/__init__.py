"""JSON Schemas (2020-12) of the API's requests and answers, by the names that routes declare."""

from collections.abc import Mapping
from pathlib import Path

from tools.openapi.schemas import calendars, connections, syncs, templates
from tools.openapi.schemas.shapes import Schema


class NameTaken(Exception):
    """Two modules have a schema of the same name; the message names both."""


def every(schema_folder: Path) -> dict[str, Schema]:
    """Return all schemas by name.

    Args:
        schema_folder: the folder with catalogue/, whose files have the shape of a template.

    Raises:
        NameTaken: two modules have a schema of the same name.
    """
    modules = (connections, syncs, calendars, templates)
    by_module = {
        module.__name__: templates.schemas(schema_folder) if module is templates else module.SCHEMAS
        for module in modules
    }
    return merge(by_module)


def merge(by_module: Mapping[str, Mapping[str, Schema]]) -> dict[str, Schema]:
    """Return the schemas of several modules by name.

    Args:
        by_module: the schemas of each module, by the module's name.

    Raises:
        NameTaken: two modules have a schema of the same name.
    """
    merged: dict[str, Schema] = {}
    found_in: dict[str, str] = {}
    for module, schemas in by_module.items():
        for name, schema in schemas.items():
            if name in merged:
                raise NameTaken(f"the schema {name} is in {found_in[name]} and in {module}: rename one of them")
            merged[name], found_in[name] = schema, module
    return merged
