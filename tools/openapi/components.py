"""The schemas of the API's document, made from the models that the routes name."""

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, models_json_schema
from pydantic_core import core_schema

Schema = dict[str, Any]
Model = type[BaseModel]
_PLACE = "#/components/schemas/"


class NameTaken(Exception):
    """Two models have the same name; the message has both"""


class _Schemas(GenerateJsonSchema):
    """pydantic's schemas without titles, which repeat the names, and without null as a default."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Return False, for every field."""
        return False

    def model_schema(self, schema: core_schema.ModelSchema) -> Schema:
        """Return the schema of a model; its description is the model's docstring without the list of attributes."""
        made = super().model_schema(schema)
        made.pop("title", None)
        if "description" in made:
            made["description"] = made["description"].partition("\n\nAttributes:")[0]
        return made

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> Schema:
        """Return the schema of a field with a default; None only says that the field may be left out."""
        made = super().default_schema(schema)
        return {name: value for name, value in made.items() if name != "default" or value is not None}


class Components:
    """The schemas of models by name, and references to them.

    Args:
        requests: models of requests.
        answers: models of answers.

    Raises:
        NameTaken: two models have the same name.
    """

    def __init__(self, requests: Iterable[Model], answers: Iterable[Model]) -> None:
        modes: list[tuple[Model, JsonSchemaMode]] = [(model, "validation") for model in dict.fromkeys(requests)]
        modes += [(model, "serialization") for model in dict.fromkeys(answers)]
        refs, made = models_json_schema(
            modes,
            ref_template=f"{_PLACE}{{model}}",
            union_format="primitive_type_array",
            schema_generator=_Schemas,
        )
        self._refs = {model: ref for (model, _), ref in refs.items()}
        self.schemas: dict[str, Schema] = made.get("$defs", {})
        for name in self.schemas:
            # pydantic tells models of one name apart by their modules.
            if "__" in name:
                raise NameTaken(f"Another model has the name of {name.replace('__', '.')}: rename one of them")

    def ref(self, model: Model) -> Schema:
        """Return the reference to a model's schema."""
        return self._refs[model]

    def of(self, model: Model) -> Schema:
        """Return a model's schema."""
        return self.schemas[self.ref(model)["$ref"].removeprefix(_PLACE)]
