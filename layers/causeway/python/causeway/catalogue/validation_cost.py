"""How much work a configuration can be for the engine that checks it, bounded before anything is checked.

A schema of 16 KiB can ask for millions of steps: a pattern of many states, tried on a long text, in each of two hundred
branches; a definition that is referred to three hundred times; a list whose every item is judged by a long schema. So a
schema's work is counted when it is written; and a pattern is not tried on a text that is longer than its maxLength.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

from causeway.catalogue import patterns
from causeway.errors.requests import REQUEST_BYTES

# What a schema may cost, in the unit of patterns.work.
MOST = 1 << 30
# Characters of a text that a pattern is tried on: a configuration comes in a request. And bytes of a character.
_LONGEST_TEXT = REQUEST_BYTES
_CHARACTER = 4
# Values in a configuration, those in its lists and objects included.
MOST_VALUES = 200
# What a byte of a schema costs for each value that does not fit it: an error is made of four.
_BYTE = 1 << 12
# Keywords that hold schemas by name, one schema, or several; those that nothing is done for; and those whose schemas
# are asked once more for every such keyword around them, to tell why none of them fits.
_BY_NAME = ("properties", "$defs")
_ONE = ("items", "if", "then", "else")
_SEVERAL = ("allOf", "anyOf", "oneOf")
_IDLE = ("title", "description", "$comment", "examples", "default")
_ALTERNATIVES = ("anyOf", "oneOf", "if")


class Uncompiled(Exception):
    """A pattern cannot be compiled; its place in the schema is the message"""


def is_too_much(schema: dict[str, Any]) -> bool:
    """Return whether a configuration could take more than MOST.

    Args:
        schema: one whose structure config_schema has checked.

    Raises:
        Uncompiled: one of its patterns cannot be compiled.
    """
    done = 0
    for step in _steps(schema, "config_schema", schema.get("$defs", {}), 1, 1):
        done += step
        # Or counting would be the work that it is to prevent.
        if done > MOST:
            return True
    return False


def _steps(schema: dict[str, Any], path: str, defs: dict[str, Any], times: int, values: int) -> Iterator[int]:
    """The costs of a schema's parts, one by one. times it is asked of a value, and values that it is asked of."""
    own = {name: value for name, value in schema.items() if name not in (*_BY_NAME, *_ONE, *_SEVERAL, *_IDLE)}
    yield len(json.dumps(own)) * _BYTE * times * values
    if "pattern" in own:
        # The values of one list share what is sent.
        text = _LONGEST_TEXT if values > 1 else min(own.get("maxLength", _LONGEST_TEXT) * _CHARACTER, _LONGEST_TEXT)
        try:
            yield patterns.work(own["pattern"], text) * times
        except ValueError as error:
            raise Uncompiled(f"{path}.pattern") from error
    if "$ref" in own:
        name = own["$ref"].rpartition("/")[2]
        yield from _steps(defs.get(name, {}), f"{path}.$ref", defs, times, values)
    for keyword, inner_path, inner in _within(schema, path):
        again = times + (keyword in _ALTERNATIVES)
        yield from _steps(inner, inner_path, defs, again, MOST_VALUES if keyword == "items" else values)


def _within(schema: dict[str, Any], path: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The schemas that a schema holds: keyword, path and schema."""
    for keyword in _BY_NAME:
        for name, inner in schema.get(keyword, {}).items():
            yield keyword, f"{path}.{keyword}.{name}", inner
    for keyword in _ONE:
        if keyword in schema:
            yield keyword, f"{path}.{keyword}", schema[keyword]
    for keyword in _SEVERAL:
        for position, inner in enumerate(schema.get(keyword, [])):
            yield keyword, f"{path}.{keyword}[{position}]", inner


def guarded(schema: Any) -> Any:
    """Return a schema that says the same, and tries a pattern on no text that is longer than its maxLength.

    The engine tries every keyword, whatever the others found.
    """
    if not isinstance(schema, dict):
        return schema
    made = _mapped(schema, guarded)
    pattern = made.pop("pattern", None)
    if pattern is None:
        return made
    longest = min(made.get("maxLength", _LONGEST_TEXT), _LONGEST_TEXT)
    tried = {"if": {"maxLength": longest}, "then": {"pattern": pattern}}
    return made | {"maxLength": longest, "allOf": [*made.get("allOf", []), tried]}


def _mapped(schema: dict[str, Any], change: Callable[[Any], Any]) -> dict[str, Any]:
    made = dict(schema)
    for keyword in _BY_NAME:
        if keyword in made:
            made[keyword] = {name: change(inner) for name, inner in made[keyword].items()}
    for keyword in _ONE:
        if keyword in made:
            made[keyword] = change(made[keyword])
    for keyword in _SEVERAL:
        if keyword in made:
            made[keyword] = [change(inner) for inner in made[keyword]]
    return made


def holds_too_many(value: Any) -> bool:
    """Return whether a configuration holds more than MOST_VALUES values."""
    left, found = [value], 0
    while left:
        one = left.pop()
        inner = one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
        left += inner
        found += len(inner)
        if found > MOST_VALUES:
            return True
    return False
