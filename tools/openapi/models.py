"""The JSON Schemas of the models that routes declare, as the API's document has them."""

from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaValue, models_json_schema

from causeway.edge.routes import Model
from tools.json_schema import Generator

Mode = Literal["validation", "serialization"]
# The directions of a route's request, query and answer.
MODES: tuple[Mode, ...] = ("validation", "validation", "serialization")


class ModelNameTaken(Exception):
    """Two models have the same name; the message has it"""


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
        schema_generator=Generator,
    )
    for found in made.get("$defs", {}):
        # pydantic adds the module or the direction to the names that it must tell apart.
        if "__" in found or found.endswith(("-Input", "-Output")):
            raise ModelNameTaken(f"{found.replace('__', '.')}: another model has this name, or it differs by direction")
    return made.get("$defs", {})
