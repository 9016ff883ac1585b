"""The rules for a config_schema: a JSON Schema (draft 2020-12) with which it is safe to validate configurations."""

import json
import re
from collections.abc import Iterator
from typing import Any, Never

from causeway.catalogue import patterns, subschemas, validation, validation_cost
from causeway.catalogue.validation_problems import joined
from causeway.errors.catalogue import ConfigSchemaInvalid
from causeway.errors.requests import REQUEST_BYTES
from causeway.errors.tree import Problem
from causeway.wire.nesting import is_deeper
from causeway.wire.strict_json import shown_name

DIALECT = "https://json-schema.org/draft/2020-12/schema"
# Refuse a schema with fields this many levels deep: far more than any provider needs.
_MOST_LEVELS = 16

# Refuse all other keywords. JSON Schema ignores an unknown keyword; here that could store a secret unencrypted
# (`encrypted: true`, `x-secrets: true`).
_KEYWORDS = frozenset(
    """
    $schema $comment $defs $ref additionalProperties allOf anyOf const default dependentRequired deprecated
    description else enum examples exclusiveMaximum exclusiveMinimum format if items maxItems maxLength maximum
    minItems minLength minimum multipleOf oneOf pattern properties required then title type uniqueItems x-secret
    """.split()  # noqa: SIM905 - 38 quoted words would fill a page
)
_FIELD = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_TOP_FIELD = re.compile(r"\w+\.properties\.\w+")
_LOCAL = re.compile(r"#/\$defs/[A-Za-z][A-Za-z0-9_]{0,63}")
# Keywords of a secret field that would show its value to every reader of the schema.
_TELLS = ("default", "const", "enum", "examples")


def check(schema: Any, name: str = "config_schema") -> None:
    """Check a provider's config_schema.

    It must be valid draft 2020-12, use only the keywords above, be bounded in size, refuse unknown fields, refer only
    to its own $defs, and have patterns that are matched in linear time. A secret must be a string field of the
    configuration itself, not of an object within it.

    Args:
        schema: what json.loads returns.
        name: of the schema in the paths, as its document spells it.

    Raises:
        ConfigSchemaInvalid: the sentence names the place in the schema.
    """
    _check_bounds(schema, name)
    if schema.get("$schema", DIALECT) != DIALECT:
        _refuse(f"{name}.$schema", f"must be {DIALECT}")
    from jsonschema_rs import meta

    try:
        meta.validate({"$schema": DIALECT, **schema})
    except ValueError as error:
        _refuse_keyword(error, name)
    if schema.get("type") != "object":
        _refuse(f"{name}.type", "must be object")
    for path, inner in _schemas(schema, name):
        _check_keywords(path, inner)
        _check_secret(path, inner)
        _check_names(path, inner)
    _check_cost(schema, name)
    try:
        validation.validator(schema)
    except ValueError as error:
        _refuse_keyword(error, name)
    _check_defaults(schema, name)


def _check_cost(schema: dict[str, Any], name: str) -> None:
    try:
        too_high = validation_cost.is_too_high(schema, name)
    except validation_cost.Uncompiled as error:
        _refuse(str(error), patterns.REFUSED)
    if too_high:
        _refuse(name, "is too much work to check a configuration by: set maxLength beside each pattern")


def _check_defaults(schema: dict[str, Any], name: str) -> None:
    """Check that each default is a valid value of its field: a default is used like a value, also in a URL."""
    for field, described in schema.get("properties", {}).items():
        alone = {"properties": {field: described}, "$defs": schema.get("$defs", {})}
        if "default" in described and any(validation.problems(alone, {field: described["default"]}, "config")):
            _refuse(f"{name}.properties.{field}.default", "does not fit its own field")


def _refuse(path: str, rule: str) -> Never:
    raise ConfigSchemaInvalid.of_problems([Problem(path, rule)])


def _check_bounds(schema: Any, name: str) -> None:
    if not isinstance(schema, dict):
        _refuse(name, "must be a JSON object")
    if is_deeper(schema, _MOST_LEVELS):
        _refuse(name, f"is nested more than {_MOST_LEVELS} levels deep")
    if len(json.dumps(schema)) > REQUEST_BYTES:
        _refuse(name, f"is larger than {REQUEST_BYTES} bytes")
    wrong = [Problem(joined(name, steps), rule) for steps, rule in validation.unstorable(schema)]
    if wrong:
        raise ConfigSchemaInvalid.of_problems(wrong)


def _refuse_keyword(error: "ValueError", name: str) -> Never:
    where = list(getattr(error, "instance_path", []))
    path = joined(name, where)
    if not where:
        _refuse(path, "refers to a definition that is not in it")
    if where[-1] == "required":
        _refuse(path, "must be a list of field names beside `properties`, not a mark on one field")
    _refuse(path, "is not valid in JSON Schema 2020-12")


def _schemas(schema: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a schema and every schema within it, with its path."""
    if not isinstance(schema, dict):
        _refuse(path, "must be an object, not true or false")
    yield path, schema
    for _, inner_path, inner in subschemas.within(schema, path):
        yield from _schemas(inner, inner_path)


def _check_names(path: str, schema: dict[str, Any]) -> None:
    for keyword in subschemas.BY_NAME:
        if not all(_FIELD.fullmatch(name) for name in schema.get(keyword, {})):
            _refuse(f"{path}.{keyword}", "names a field that is not 1 to 64 letters, digits and underscores")


def _check_keywords(path: str, schema: dict[str, Any]) -> None:
    for keyword in schema:
        if keyword not in _KEYWORDS:
            _refuse(path, f"has the keyword {shown_name(keyword)}, which is not taken")
    types = schema.get("type", [])
    is_object = "object" in ([types] if isinstance(types, str) else types) or "additionalProperties" in schema
    if is_object and schema.get("additionalProperties") is not False:
        _refuse(f"{path}.additionalProperties", "must be false: unknown fields are refused")
    reference = schema.get("$ref")
    if reference is not None and (not _LOCAL.fullmatch(reference) or ".$defs." in path):
        _refuse(f"{path}.$ref", "must be #/$defs/<name>, and $defs themselves refer to nothing")
    pattern = schema.get("pattern", "")
    if len(pattern) > patterns.MOST_CHARACTERS:
        _refuse(f"{path}.pattern", f"is longer than {patterns.MOST_CHARACTERS} characters")


def _check_secret(path: str, schema: dict[str, Any]) -> None:
    mark = schema.get("x-secret")
    if mark is None:
        return
    if mark is not True:
        _refuse(f"{path}.x-secret", "must be true, or absent")
    if not _TOP_FIELD.fullmatch(path) or schema.get("type") != "string":
        _refuse(f"{path}.x-secret", "must stand on a field of type string in the configuration itself")
    for keyword in _TELLS:
        if keyword in schema:
            _refuse(f"{path}.{keyword}", "would show what is secret")
