"""The schemas within a JSON Schema: walked and replaced. Only the keywords that a config_schema may have are known."""

from collections.abc import Callable, Iterator
from typing import Any

# Keywords with schemas by name, with one schema, and with a list of schemas.
BY_NAME = ("properties", "$defs")
_ONE = ("items", "if", "then", "else")
_SEVERAL = ("allOf", "anyOf", "oneOf")
KEYWORDS = (*BY_NAME, *_ONE, *_SEVERAL)


def within(schema: dict[str, Any], path: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield the schemas directly within a schema: keyword, path and schema. path: of the outer schema."""
    for keyword in BY_NAME:
        for name, inner in schema.get(keyword, {}).items():
            yield keyword, f"{path}.{keyword}.{name}", inner
    for keyword in _ONE:
        if keyword in schema:
            yield keyword, f"{path}.{keyword}", schema[keyword]
    for keyword in _SEVERAL:
        for position, inner in enumerate(schema.get(keyword, [])):
            yield keyword, f"{path}.{keyword}[{position}]", inner


def replaced(schema: dict[str, Any], change: Callable[[Any], Any]) -> dict[str, Any]:
    """Return a schema whose direct subschemas are replaced by what change returns for them."""
    made = dict(schema)
    for keyword in BY_NAME:
        if keyword in made:
            made[keyword] = {name: change(inner) for name, inner in made[keyword].items()}
    for keyword in _ONE:
        if keyword in made:
            made[keyword] = change(made[keyword])
    for keyword in _SEVERAL:
        if keyword in made:
            made[keyword] = [change(inner) for inner in made[keyword]]
    return made
