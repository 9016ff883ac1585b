"""Wrong requests made from a request's JSON Schema: each has one fault, at a known path."""

import json
import re
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from tools.openapi import examples, models

# No answer and no log may repeat any of these: a text, a text that looks like a secret, a number.
CANARY, SECRET, NUMBER = "canary-0f1e2d", "sk_live_4eC39HqLyjWDarjtT1zdp7dc", 8_070_605_040
CANARIES = (CANARY, SECRET, str(NUMBER))
# A value of each of JSON's types.
_OF_TYPE: dict[str, Any] = {
    "string": CANARY,
    "integer": NUMBER,
    "boolean": True,
    "null": None,
    "array": [CANARY],
    "object": {SECRET: CANARY},
}
Schema = dict[str, Any]
# The path of a fault, and the value that has it.
Fault = tuple[str, Any]


def of_model(model: type[BaseModel]) -> list[Fault]:
    """Return wrong bodies of a request. Each is its example with one part that the schema does not allow."""
    schemas = models.schemas([(model, "validation")])
    root = {"$ref": model.__name__}
    found = _faults(root, schemas, examples.of(root, schemas))
    return [(path.removeprefix("."), wrong) for path, wrong in found if path]


def of_query(model: type[BaseModel]) -> list[tuple[str, dict[str, str]]]:
    """Return wrong queries. Each is the example with one parameter that the schema does not allow."""
    schemas = models.schemas([(model, "validation")])
    root = {"$ref": model.__name__}
    sent = examples.of(root, schemas)
    valid = {name: value if isinstance(value, str) else json.dumps(value) for name, value in sent.items()}
    wrong = [("unknownParameter", CANARY), ("<unnamed>", CANARY)]
    for name, part in schemas[model.__name__]["properties"].items():
        wrong += [(name, text) for text in _wrong_values(part, schemas) if isinstance(text, str)]
    return [(path, valid | {SECRET if path == "<unnamed>" else path: text}) for path, text in wrong]


def _faults(schema: Schema, schemas: dict[str, Schema], value: Any) -> Iterator[Fault]:
    """Wrong values in the place of a value: of the value itself, and of each of its parts."""
    yield from (("", wrong) for wrong in _wrong_values(schema, schemas))
    choices = _choices(schema, schemas)
    objects = [choice for choice in choices if "properties" in choice]
    for choice in objects:
        own = value if _fits(choice, value) else examples.of(choice, schemas)
        yield from _faults_of_object(choice, schemas, own, tagged=len(objects) > 1)
    for choice in choices:
        if "items" in choice and isinstance(value, list) and value:
            for path, wrong in _faults(choice["items"], schemas, value[0]):
                yield f"[0]{path}", [wrong, *value[1:]]
        others = choice.get("additionalProperties")
        if isinstance(others, dict) and isinstance(value, dict):
            for name in list(value)[:1]:
                for path, wrong in _faults(others, schemas, value[name]):
                    yield f".{name}{path}", value | {name: wrong}
            if "propertyNames" not in choice:
                # pydantic calls a wrong key so.
                yield ".<unnamed>", value | {"[key]": NUMBER}


def _faults_of_object(
    schema: Schema, schemas: dict[str, Schema], value: dict[str, Any], *, tagged: bool
) -> Iterator[Fault]:
    """Wrong objects in the place of one. tagged: a constant tells which of several schemas the object has."""
    for name, part in schema["properties"].items():
        without = {field: kept for field, kept in value.items() if field != name}
        if tagged and "const" in part:
            yield from ((f".{name}", without | {name: CANARY}), (f".{name}", without))
            # pydantic counts the constant as a step of the path.
            if part["const"] not in schema["properties"]:
                yield f".{part['const']}", value | {part["const"]: CANARY}
            continue
        if name in schema.get("required", []):
            yield f".{name}", without
        inner = value[name] if name in value else _example(part, schemas)
        for path, wrong in _faults(part, schemas, inner):
            yield f".{name}{path}", value | {name: wrong}
    if schema.get("additionalProperties") is False:
        yield ".unknownField", value | {"unknownField": CANARY}
        # The name may be a secret.
        yield ".<unnamed>", value | {SECRET: NUMBER}


def _example(schema: Schema, schemas: dict[str, Schema]) -> Any:
    try:
        return examples.of(schema, schemas)
    except examples.NoExample:
        return None


def _choices(schema: Schema, schemas: dict[str, Schema]) -> list[Schema]:
    """The schemas that a schema stands for, without references and choices."""
    if "$ref" in schema:
        return _choices(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    for word in ("anyOf", "oneOf"):
        if word in schema:
            return [found for choice in schema[word] for found in _choices(choice, schemas)]
    return [schema]


def _fits(schema: Schema, value: Any) -> bool:
    constants = {name: part["const"] for name, part in schema["properties"].items() if "const" in part}
    return isinstance(value, dict) and all(value.get(name) == constant for name, constant in constants.items())


def _matches(schema: Schema, text: str) -> bool:
    return re.search(schema.get("pattern", ""), text) is not None


def _wrong_values(schema: Schema, schemas: dict[str, Schema]) -> Iterator[Any]:
    """Values of each other type, a number as text, a number with a fraction, and values out of limits and choices."""
    choices = _choices(schema, schemas)
    types = {choice.get("type", "string" if {"const", "enum"} & set(choice) else "any") for choice in choices}
    if "any" in types:
        return
    yield from (wrong for name, wrong in _OF_TYPE.items() if name not in types)
    if "integer" in types and "string" not in types:
        yield from (str(NUMBER), 1.5)
    numbers = [choice for choice in choices if choice.get("type") == "integer"]
    if any("minimum" in number for number in numbers):
        yield min(number["minimum"] for number in numbers) - 1
    texts = [choice for choice in choices if choice.get("type", "string") == "string"]
    if texts and all({"const", "enum", "format"} & set(text) or not _matches(text, CANARY) for text in texts):
        yield CANARY
    if texts and all({"const", "enum", "format"} & set(text) or text.get("minLength") for text in texts):
        yield ""
    if texts and all("maxLength" in text for text in texts):
        yield CANARY + "x" * max(text["maxLength"] for text in texts)
