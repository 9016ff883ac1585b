"""The metadata of a connection: a JSON object of the tenant's own. It is shown, so it must hold no secret."""

import json
from collections.abc import Iterator
from typing import Annotated, Any

from causeway.catalogue.validation import unstorable
from causeway.catalogue.validation_problems import Steps
from causeway.outbound.redaction import is_secret_name
from causeway.wire.field_types import JsonObject, checked_by_parts
from causeway.wire.nesting import has_more_levels

# Bytes of the JSON as Postgres writes it: in UTF-8, with a space after each comma and colon.
MOST_BYTES = 4096
# Levels of objects and lists, the metadata itself included.
MOST_LEVELS = 4


def _faults(metadata: JsonObject) -> Iterator[tuple[Steps, str]]:
    """Yield each part that breaks a rule: its steps, and the rule."""
    if has_more_levels(metadata, MOST_LEVELS):
        yield (), f"must have at most {MOST_LEVELS} levels of objects and lists"
        return
    found = [*unstorable(metadata), *_secrets(metadata)]
    yield from found
    if not found and len(json.dumps(metadata, ensure_ascii=False).encode()) > MOST_BYTES:
        yield (), f"must have at most {MOST_BYTES} bytes as JSON with a space after each comma and colon"


def _secrets(value: Any, steps: Steps = ()) -> Iterator[tuple[Steps, str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if is_secret_name(name):
                yield (*steps, name), "must not be a secret: metadata is shown"
            yield from _secrets(inner, (*steps, name))
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from _secrets(inner, (*steps, position))


Metadata = Annotated[JsonObject, checked_by_parts(_faults)]
