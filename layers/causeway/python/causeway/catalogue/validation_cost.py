"""The cost of validating a configuration by a schema, bounded when the schema is written.

A schema of 16 KiB can need millions of steps: a pattern with many states, matched against a long text in each of two
hundred branches; three hundred references to one definition; a long schema for each item of a list. Therefore the cost
of a schema is computed when it is written, and a pattern is not matched against a text longer than its maxLength.
"""

import json
from collections.abc import Iterator
from typing import Any

from causeway.catalogue import patterns, subschemas
from causeway.errors.requests import REQUEST_BYTES

# The highest cost of a schema, in the unit of patterns.cost.
MOST = 1 << 30
# The longest text that a pattern is matched against (a configuration comes in a request), and the bytes of a character.
_LONGEST_TEXT = REQUEST_BYTES
_CHARACTER = 4
# Values in a configuration, including those in its lists and objects.
MOST_VALUES = 200
# Cost per byte of a schema and per invalid value.
_BYTE = 1 << 12
# Keywords that cost nothing.
_IDLE = ("title", "description", "$comment", "examples", "default")
# Keywords with alternatives: the engine validates nested alternatives again for the error message.
_ALTERNATIVES = ("anyOf", "oneOf", "if")


class Uncompiled(Exception):
    """A pattern cannot be compiled; its place in the schema is the message"""


def is_too_high(schema: dict[str, Any], name: str = "config_schema") -> bool:
    """Return whether validating a configuration may cost more than MOST.

    Args:
        schema: its structure has been checked by config_schema.
        name: of the schema in the message of Uncompiled.

    Raises:
        Uncompiled: a pattern of the schema cannot be compiled.
    """
    total = 0
    for step in _steps(schema, name, schema.get("$defs", {}), 1, 1):
        total += step
        # Stop here: otherwise the sum itself could take as long.
        if total > MOST:
            return True
    return False


def _steps(schema: dict[str, Any], path: str, defs: dict[str, Any], times: int, values: int) -> Iterator[int]:
    """Yield the costs of a schema's parts. times: validations of one value; values: that are validated."""
    own = {name: value for name, value in schema.items() if name not in (*subschemas.KEYWORDS, *_IDLE)}
    yield len(json.dumps(own)) * _BYTE * times * values
    if "pattern" in own:
        # The items of one list share the bytes of the request.
        text = _LONGEST_TEXT if values > 1 else min(own.get("maxLength", _LONGEST_TEXT) * _CHARACTER, _LONGEST_TEXT)
        try:
            yield patterns.cost(own["pattern"], text) * times
        except ValueError as error:
            raise Uncompiled(f"{path}.pattern") from error
    if "$ref" in own:
        name = own["$ref"].rpartition("/")[2]
        yield from _steps(defs.get(name, {}), f"{path}.$ref", defs, times, values)
    for keyword, inner_path, inner in subschemas.within(schema, path):
        again = times + (keyword in _ALTERNATIVES)
        yield from _steps(inner, inner_path, defs, again, MOST_VALUES if keyword == "items" else values)


def with_bounded_patterns(schema: Any) -> Any:
    """Return an equal schema that matches no pattern against a text longer than maxLength.

    The engine checks every keyword, even if another has failed.
    """
    if not isinstance(schema, dict):
        return schema
    made = subschemas.replaced(schema, with_bounded_patterns)
    pattern = made.pop("pattern", None)
    if pattern is None:
        return made
    longest = min(made.get("maxLength", _LONGEST_TEXT), _LONGEST_TEXT)
    tried = {"if": {"maxLength": longest}, "then": {"pattern": pattern}}
    return made | {"maxLength": longest, "allOf": [*made.get("allOf", []), tried]}


def has_too_many_values(value: Any) -> bool:
    """Return whether a configuration has more than MOST_VALUES values."""
    left, found = [value], 0
    while left:
        one = left.pop()
        inner = one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
        left += inner
        found += len(inner)
        if found > MOST_VALUES:
            return True
    return False
