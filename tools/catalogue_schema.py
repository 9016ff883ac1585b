"""python -m tools.catalogue_schema, in the repository's folder: writes the JSON Schema of the catalogue's files."""

import json
import sys
from pathlib import Path

from causeway.catalogue.document import TemplateDraft
from tools import made_files
from tools.json_schema import Generator

FILE = Path("schema/catalogue/_provider.schema.json")
_COMMENT = {"$comment": {"description": "What is documented, and where. It is not stored.", "type": "string"}}


def text() -> str:
    """Return the JSON Schema of a file of the catalogue."""
    made = TemplateDraft.model_json_schema(by_alias=False, schema_generator=Generator)
    made["properties"] = _COMMENT | made["properties"]
    head = {"$schema": Generator.schema_dialect, "title": "A provider of the catalogue"}
    return json.dumps(head | made, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    options = made_files.parser("tools.catalogue_schema", __doc__).parse_args()
    sys.exit(made_files.keep(FILE, text(), check=options.check))
