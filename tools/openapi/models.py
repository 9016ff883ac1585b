"""The JSON Schemas of the models that routes declare, as the API's document has them."""

from collections.abc import Iterable
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema

Mode = Literal["validation", "serialization"]
# The directions of a route's request, query and answer.
MODES: tuple[Mode, ...] = ("validation", "validation", "serialization")


class _Generator(GenerateJsonSchema):
    """Makes no titles: they repeat the names. A default of null says only that a field may be left out."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        return False

    def default_schema(self, schema: Any) -> JsonSchemaValue:
        made = super().default_schema(schema)
        return {name: value for name, value in made.items() if (name, value) != ("default", None)}


def schemas(models: Iterable[tuple[type[BaseModel], Mode]]) -> dict[str, JsonSchemaValue]:
    """Return the schemas of models, and of the models in them, by name.

    Args:
        models: each with its direction: a request is validated, an answer is serialized.
    """
    _, made = models_json_schema(
        list(dict.fromkeys(models)), ref_template="#/components/schemas/{model}", schema_generator=_Generator
    )
    return {
        name: {field: value for field, value in schema.items() if field != "title"}
        for name, schema in made.get("$defs", {}).items()
    }
