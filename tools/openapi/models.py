"""The JSON Schemas of the models that routes declare, as the API's document has them."""

from collections.abc import Iterable
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

from causeway.edge.routes import Model

Mode = Literal["validation", "serialization"]
# The directions of a route's request, query and answer.
MODES: tuple[Mode, ...] = ("validation", "validation", "serialization")


class ModelNameTaken(Exception):
    """Two models have the same name; the message has it"""


class _Generator(GenerateJsonSchema):
    """Makes no titles: they repeat the names. A default of null says only that a field may be left out."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        made = super().default_schema(schema)
        return {name: value for name, value in made.items() if (name, value) != ("default", None)}

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        made = super().model_schema(schema)
        made.pop("title", None)
        if "description" in made:
            # A docstring's list of attributes repeats the descriptions of the fields.
            made["description"] = made["description"].partition("\n\nAttributes:")[0]
        return made


def name(model: Model) -> str:
    """Return the name under which the document has a declared model."""
    return model if isinstance(model, str) else model.__name__


def schemas(models: Iterable[tuple[type[BaseModel], Mode]]) -> dict[str, JsonSchemaValue]:
    """Return the schemas of models, and of the models in them, by name.

    Args:
        models: each with its direction: a request is validated, an answer is serialized.

    Raises:
        ModelNameTaken: two models have the same name, or one has different schemas in the two directions.
    """
    _, made = models_json_schema(
        list(dict.fromkeys(models)),
        ref_template="#/components/schemas/{model}",
        union_format="primitive_type_array",
        schema_generator=_Generator,
    )
    for found in made.get("$defs", {}):
        # pydantic adds the module or the direction to the names that it must tell apart.
        if "__" in found or found.endswith(("-Input", "-Output")):
            raise ModelNameTaken(f"{found.replace('__', '.')}: another model has this name, or it differs by direction")
    return made.get("$defs", {})
