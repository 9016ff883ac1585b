"""Writes the JSON Schema of the catalogue's files, for editors: python -m tools.catalogue_schema, in this folder."""

import json
import sys
from pathlib import Path
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from causeway.catalogue.document import TemplateDraft

FILE = Path("schema/catalogue/_provider.schema.json")
_COMMENT = {"$comment": {"description": "What is documented, and where. It is not stored.", "type": "string"}}


class _Generator(GenerateJsonSchema):
    """Makes no titles, which repeat the names, and no default of null: it says only that a field may be left out."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        made = super().default_schema(schema)
        return {name: value for name, value in made.items() if (name, value) != ("default", None)}

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        return {name: value for name, value in super().model_schema(schema).items() if name != "title"}


def text() -> str:
    """Return the JSON Schema of a file of the catalogue."""
    made = TemplateDraft.model_json_schema(by_alias=False, schema_generator=_Generator)
    made["properties"] = _COMMENT | made["properties"]
    head = {"$schema": _Generator.schema_dialect, "title": "A provider of the catalogue"}
    return json.dumps(head | made, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
    sys.stdout.write(f"wrote {FILE}\n")
