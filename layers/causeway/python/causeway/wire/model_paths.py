"""The path of each wrong part of a request, from the steps that pydantic's error has."""

from collections.abc import Mapping
from typing import Any

from pydantic_core import ErrorDetails

from causeway.wire.strict_json import shown_name

# Error type of our own validators.
RULE = "rule"
# pydantic's last step of an error of a dict's key.
_AT_KEY = ("[key]",)
# Errors of the tag of a union: pydantic's path is the union's, and it tells the tag's name in quotes.
_OF_TAG = ("union_tag_not_found", "union_tag_invalid")
_ANY = {"type": "any"}
# A schema of pydantic_core: https://docs.pydantic.dev/latest/api/pydantic_core_schema/.
Schema = Mapping[str, Any]


def path(error: ErrorDetails, schema: Schema) -> str:
    """Return the path of a wrong part: config.numbers[2].

    pydantic also counts the tag of a union as a step, and "[key]" after a key that is wrong itself. Only the model's
    schema tells such a step from a field: a request may have a field of the same name.

    Args:
        error: one of the model's errors.
        schema: the model's: model.__pydantic_core_schema__.
    """
    named = {definition["ref"]: definition for definition in schema.get("definitions", ())}
    told, here, steps = "", _bare(schema, named), error["loc"]
    for place, step in enumerate(steps):
        if here["type"] == "tagged-union":
            here = _bare(here["choices"][step], named)
            continue
        told += f"[{step}]" if isinstance(step, int) else f".{shown_name(step)}"
        inner = _bare(_part(here, step), named)
        if here["type"] == "dict" and steps[place + 1 :] == _AT_KEY and not _is_own(error, inner):
            break
        here = inner
    if error["type"] in _OF_TAG:
        told += "." + error["ctx"]["discriminator"].strip("'")
    return told.removeprefix(".")


def _bare(schema: Schema, named: Mapping[str, Schema]) -> Schema:
    """Return the schema inside those that have no part: defaults, nullables, validators, references."""
    while inner := schema.get("schema", named.get(schema.get("schema_ref", ""))):
        schema = inner
    return schema


def _part(schema: Schema, step: str | int) -> Schema:
    """Return the schema of a field, an item or a value; an unknown field may be anything."""
    for name, field in schema.get("fields", {}).items():
        # The catalogue's files have the names of the attributes.
        if step in (name, field.get("validation_alias")):
            return field["schema"]
    return schema.get("items_schema", schema.get("values_schema", _ANY))


def _is_own(error: ErrorDetails, value: Schema) -> bool:
    """Return whether an error inside a dict's value is one of ours: pydantic has none in a value of any type."""
    return value["type"] == "any" and error["type"] == RULE
