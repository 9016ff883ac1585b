"""How JSON Schemas are made from models, for the API's document and for the catalogue's files."""

from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema


class Generator(GenerateJsonSchema):
    """Makes no titles: they repeat the names. A default of null says only that a field may be left out."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        """Return False: no field has a title."""
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Return the schema of a field that has a default, without a default of null."""
        made = super().default_schema(schema)
        return {name: value for name, value in made.items() if (name, value) != ("default", None)}

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        """Return the schema of a model. A docstring's list of attributes repeats the descriptions of the fields."""
        made = super().model_schema(schema)
        made.pop("title", None)
        if "description" in made:
            made["description"] = made["description"].partition("\n\nAttributes:")[0]
        return made
