"""JSON Schemas (2020-12) of the API's requests and answers, by the names that routes declare."""

from collections.abc import Mapping

from tools.openapi.schemas import calendars, connections, syncs
from tools.openapi.schemas.shapes import Schema


class NameTaken(Exception):
    """Two modules have a schema of the same name; the message names both."""


def every() -> dict[str, Schema]:
    """Return all schemas by name.

    Raises:
        NameTaken: two modules have a schema of the same name.
    """
    return merge({module.__name__: module.SCHEMAS for module in (connections, syncs, calendars)})


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
