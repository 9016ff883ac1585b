"""Examples of the API's document, made from the examples of the models' fields."""

from typing import Any

from pydantic import BaseModel

from tools.openapi import components

Schema = dict[str, Any]


class NoExample(Exception):
    """A field has no example, and none follows from its type; the message names the field"""


def of_model(model: type[BaseModel]) -> dict[str, Any]:
    """Return the example of a request: with all fields that have an example; raises NoExample."""
    made = components.Components([model], [])
    return of(made.ref(model), made.schemas)


def of(schema: Schema, schemas: dict[str, Schema], place: str = "") -> Any:
    """Return the example of a schema: its own, or one that is composed of the examples of its parts.

    A field that may be left out is in the example only if it has an example of its own.

    Args:
        schema: of a body or a part of it.
        schemas: the document's, by name.
        place: of the schema, for the error.

    Raises:
        NoExample: a required part has no example.
    """
    if "examples" in schema:
        return schema["examples"][0]
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return of(schemas[name], schemas, place or name)
    for word in ("const", "default"):
        if word in schema:
            return schema[word]
    if "enum" in schema:
        return schema["enum"][0]
    if "allOf" in schema:
        return of(schema["allOf"][0], schemas, place)
    for word in ("anyOf", "oneOf"):
        if word in schema:
            return _first(schema[word], schemas, place)
    if schema.get("type") == "object" and "properties" in schema:
        return _object(schema, schemas, place)
    if schema.get("type") == "array" and "items" in schema:
        return [of(schema["items"], schemas, f"{place}[]")]
    if schema.get("type") == "null":
        return None
    raise NoExample(f"{place} has no example: give its field Field(examples=[...])")


def _first(choices: list[Schema], schemas: dict[str, Schema], place: str) -> Any:
    """Return the example of the first choice that has one."""
    for choice in choices[:-1]:
        try:
            return of(choice, schemas, place)
        except NoExample:
            continue
    return of(choices[-1], schemas, place)


def _object(schema: Schema, schemas: dict[str, Schema], place: str) -> dict[str, Any]:
    required = schema.get("required", [])
    made = {}
    for name, part in schema["properties"].items():
        if name in required or _is_given(part):
            made[name] = of(part, schemas, f"{place}.{name}")
    return made


def _is_given(schema: Schema) -> bool:
    """Return whether a schema itself, or a choice of it, gives an example."""
    return "examples" in schema or any(_is_given(choice) for choice in schema.get("anyOf", []))
