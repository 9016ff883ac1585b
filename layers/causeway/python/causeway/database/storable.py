"""Texts and JSON in the form in which Postgres can store them: an outside system's text never rolls back a change."""

from collections.abc import Mapping
from datetime import date
from math import isfinite
from typing import Any

# Characters that are kept of a field's name in JSON.
_LONGEST_NAME = 200


def storable_text(text: str, longest: int | None = None) -> str:
    """Return a text without NUL and lone surrogates, which are replaced.

    Args:
        text: any text.
        longest: characters that are kept; None: all. A text that is cut ends with an ellipsis.
    """
    text = text.replace("\0", "\ufffd").encode(errors="replace").decode()
    return text if longest is None or len(text) <= longest else f"{text[: longest - 1]}…"


def storable_json(value: Any, longest: int | None = None) -> Any:
    """Return a value as jsonb can store it; a value that JSON does not have (NaN, a UUID) becomes its text.

    Args:
        value: any value; a time becomes its ISO 8601 text.
        longest: characters that are kept of each text in it; None: all.
    """
    match value:
        case None | bool() | int():
            return value
        case float() if isfinite(value):
            return value
        case Mapping():
            pairs = ((storable_text(str(name), _LONGEST_NAME), inner) for name, inner in value.items())
            return {name: storable_json(inner, longest) for name, inner in pairs}
        case list() | tuple():
            return [storable_json(inner, longest) for inner in value]
        case date():
            return value.isoformat()
    return storable_text(str(value), longest)
