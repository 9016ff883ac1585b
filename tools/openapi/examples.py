"""Examples of the API's document, composed of the examples of the models' fields."""

from typing import Any

from pydantic import BaseModel

from tools.openapi import models

Schema = dict[str, Any]


class NoExample(Exception):
    """A field has no example, and none follows from its type; the message names the field"""


def of_model(model: type[BaseModel]) -> dict[str, Any]:
    """Return the example of a request; raises NoExample."""
    return of({"$ref": model.__name__}, models.schemas([(model, "validation")]))


def of(schema: Schema, schemas: dict[str, Schema], place: str = "") -> Any:
    """Return the example of a schema: its own, or one that is composed of the examples of its parts.

    A field that may be left out is in it only if the field itself has an example.

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
    for word in ("anyOf", "oneOf"):
        if word in schema:
            # A value, or null: the value says more.
            return of(schema[word][0], schemas, place)
    if "properties" in schema:
        required = schema.get("required", [])
        parts = {name: part for name, part in schema["properties"].items() if name in required or _is_given(part)}
        return {name: of(part, schemas, f"{place}.{name}") for name, part in parts.items()}
    if "items" in schema:
        return [of(schema["items"], schemas, f"{place}[]")]
    raise NoExample(f"{place} has no example: give its field Field(examples=[...])")


def _is_given(schema: Schema) -> bool:
    """Return whether a schema itself, or a choice of it, gives an example."""
    return "examples" in schema or any(_is_given(choice) for choice in schema.get("anyOf", []))
