"""Texts and JSON in the form in which Postgres can store them: an outside system's text never rolls back a change."""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from enum import Enum
from math import isfinite
from typing import Any
from uuid import UUID

# Characters that are kept of a field's name in JSON whose texts are cut.
_LONGEST_NAME = 200


def storable_text(text: str, longest: int | None = None) -> str:
    """Return a text without NUL and lone surrogates, which are replaced.

    Args:
        text: any text.
        longest: characters that are kept; None: all. A text that is cut ends with an ellipsis.
    """
    text = text.replace("\0", "\ufffd").encode(errors="replace").decode()
    return text if longest is None or len(text) <= longest else f"{text[: longest - 1]}…"


def storable_json(value: Any, longest: int | None = None, others: Callable[[Any], str] | None = None) -> Any:
    """Return a value as jsonb can store it; no value in it is dropped.

    A UUID, a date or datetime, a Decimal, an infinite float and NaN become their text, an Enum its value. If names
    of an object are equal in their stored form, each but the first gets its number in the object: name, name (2).

    Args:
        value: any value of JSON or of the types above; the names of its objects are str.
        longest: characters that are kept of each text in it, and not more than 200 of each name; None: all.
        others: makes the text of a value or name of any other type; None: such a value is refused.

    Raises:
        TypeError: a value or name is of another type, for example bytes, and `others` is None.
    """
    match value:
        case None | bool() | int():
            return value
        case float() if isfinite(value):
            return value
        case Mapping():
            return _fields(value, longest, others)
        case list() | tuple():
            return [storable_json(inner, longest, others) for inner in value]
        case Enum():
            return storable_json(value.value, longest, others)
    return storable_text(_text(value, others), longest)


def _fields(mapping: Mapping[Any, Any], longest: int | None, others: Callable[[Any], str] | None) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for key, inner in mapping.items():
        name = key if isinstance(key, str) else _other(key, others)
        name = storable_text(name, None if longest is None else _LONGEST_NAME)
        number = len(fields) + 1
        while name in fields:
            name += f" ({number})"
        fields[name] = storable_json(inner, longest, others)
    return fields


def _text(value: Any, others: Callable[[Any], str] | None) -> str:
    match value:
        case date():
            return value.isoformat()
        case str() | float() | Decimal() | UUID():
            return str(value)
    return _other(value, others)


def _other(value: Any, others: Callable[[Any], str] | None) -> str:
    if others is None:
        raise TypeError(f"A {type(value).__name__} cannot be stored as JSON here: give its text")
    return others(value)
