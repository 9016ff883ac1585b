"""Configurations against a config_schema: refusals name the path and never repeat a value."""

from typing import Any

import pytest

from causeway.catalogue import config_schema, patterns
from causeway.catalogue.validation import validate
from causeway.errors.catalogue import ConfigSchemaInvalid
from causeway.wire.strict_json import parse_object
from tests.unit.config_schemas import CANARY, KEY, LARGE, SCHEMA, STALLING, VALID, changed


def refusal(config: Any, schema: dict[str, Any] = SCHEMA) -> str:
    """The sentence with which a configuration is refused."""
    with pytest.raises(ConfigSchemaInvalid) as caught:
        validate(schema, config)
    assert (caught.value.code, caught.value.status) == ("CONFIG_SCHEMA_INVALID", 400)
    return caught.value.sentence


def test_valid_config_is_accepted() -> None:
    """HUB 7"""
    config_schema.check(SCHEMA)
    validate(SCHEMA, VALID)
    validate(SCHEMA, VALID | {"port": 8080, "owner": {"name": "n"}, "hosts": ["a", "b"], "mail": "a@b.example"})


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"region": None}, "config.region must be one of eu, us"),
        (
            {"regoin": "eu"},
            f"config.regoin is not a known field: the fields are {', '.join(SCHEMA['properties'])}",
        ),
        (
            {"regoin": "eu", "zone": 1},
            (
                f"config.regoin is not a known field: the fields are {', '.join(SCHEMA['properties'])}; "
                "config.zone is not a known field"
            ),
        ),
        ({"hosts": []}, "config.hosts must have at least one item"),
        ({"apiKey": "k_short"}, "config.apiKey must have at least 20 characters"),
        ({"apiKey": 5}, "config.apiKey must be a string"),
        ({"apiKey": "K" + KEY}, "config.apiKey must match ^k_[a-z]+$"),
        ({"port": "443"}, "config.port must be a whole number"),
        ({"port": True}, "config.port must be a whole number"),
        ({"port": 0}, "config.port must be at least 1"),
        ({"port": 2**70}, "config.port must be at most 65535"),
        ({"mail": "nobody"}, "config.mail must be a valid email"),
        ({"owner": {}}, "config.owner.name is missing"),
        ({"owner": {"name": "n", "x": 1}}, "config.owner.x is not a known field"),
        ({"hosts": ["a", "B"]}, "config.hosts[1] must match ^[a-z]+$"),
        ({"hosts": ["a", "b", "c"]}, "config.hosts must have at most 2 items"),
        ({"hosts": ["a", "\0"]}, "config.hosts[1] holds a character that is not text"),
        ({"apiKey": "\ud800"}, "config.apiKey holds a character that is not text"),
        (
            {"not\nname": 1},
            f"config.<unnamed> is not a known field: the fields are {', '.join(SCHEMA['properties'])}",
        ),
    ],
)
def test_invalid_config_is_refused_with_the_fields_path(change: dict[str, Any], sentence: str) -> None:
    """HUB 7"""
    assert refusal(VALID | change) == sentence


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("", "must not be empty"),
        ("to ken", "must have no space or line break in it"),
        ("to\tken", "must have no space or line break in it"),
        ("tokén", "must have only ASCII characters"),
        ("token!", "must match ^[a-z]+$ (The token, as its page shows it)"),
        ("to ken!", "must match ^[a-z]+$ (The token, as its page shows it)"),
    ],
)
def test_pattern_mismatch_is_explained_in_words(value: str, sentence: str) -> None:
    """HUB 7: the sentence is for people who do not know regular expressions."""
    field = {"type": "string", "pattern": "^[a-z]+$", "description": "The token, as its page shows it."}
    assert refusal({"token": value}, {"properties": {"token": field}}) == f"config.token {sentence}"


@pytest.mark.parametrize("config", [None, [], "text", 1, True])
def test_config_that_is_not_an_object_is_refused(config: Any) -> None:
    """HUB 7"""
    assert refusal(config) == "config must be an object"


def test_several_problems_are_named_at_once_up_to_a_limit() -> None:
    """HUB 7"""
    assert refusal({}) == "config.apiKey is missing; config.region is missing"
    assert refusal(VALID | {f"x{n}": 1 for n in range(50)}).count(";") == 4


def test_number_with_a_fraction_is_refused_with_its_path() -> None:
    """HUB 7: the body's parser keeps such a number as text, which must not pass as a string."""
    body = parse_object(b'{"hosts": ["a", 1.5]}')
    assert refusal(VALID | body) == "config.hosts[1] must be a whole number"


def test_alternatives_are_named_together() -> None:
    """HUB 7"""
    schema = changed(a={"type": "string"}, b={"type": "string"}) | {"anyOf": [{"required": ["a"]}, {"required": ["b"]}]}
    config_schema.check(schema)
    assert refusal({}, schema) == "config.a is missing or config.b is missing"


@pytest.mark.parametrize(
    "config",
    [
        {"apiKey": CANARY, "region": "eu"},
        {"apiKey": CANARY * 9, "region": "eu"},
        {"apiKey": [CANARY], "region": "eu"},
        {"apiKey": {"value": CANARY}, "region": "eu"},
        {"apiKey": KEY, "region": CANARY},
        {"apiKey": KEY, "region": "eu", "mail": CANARY},
        {"apiKey": KEY, "region": "eu", "owner": {"name": [CANARY]}},
        {"apiKey": KEY, "region": "eu", "owner": CANARY},
        {"apiKey": KEY, "region": "eu", "hosts": [CANARY]},
        {"apiKey": KEY, "region": "eu", "unknown": CANARY},
        {"apiKey": KEY, "region": "eu", f"{CANARY} in a name's place": "x"},
        CANARY,
    ],
)
def test_refusal_never_repeats_a_value(config: Any) -> None:
    """HUB 1, 7: in any field, and also not in the cause for our log."""
    with pytest.raises(ConfigSchemaInvalid) as caught:
        validate(SCHEMA, config)
    assert CANARY not in f"{caught.value.sentence} {caught.value.cause} {caught.value} {caught.value!r}"
    assert caught.value.__cause__ is None


def test_reference_to_the_schemas_own_definitions_is_followed() -> None:
    schema = changed(a={"$ref": "#/$defs/name"}) | {"$defs": {"name": {"type": "string", "maxLength": 3}}}
    config_schema.check(schema)
    validate(schema, {"a": "abc"})
    assert refusal({"a": "abcd"}, schema) == "config.a must have at most 3 characters"


@pytest.mark.parametrize("pattern", STALLING)
def test_pattern_that_stalls_a_backtracking_matcher_answers_at_once(pattern: str) -> None:
    """HUB 55: matched against the longest accepted text, by both of the ways in which patterns are matched."""
    schema = {"type": "object", "properties": {"a": {"type": "string", "pattern": pattern}}}
    with pytest.raises(ConfigSchemaInvalid, match=r"config\.a must match"):
        validate(schema, {"a": "a" * 16000 + "?"})
    assert not patterns.matches(pattern, "a" * 16000 + "?")


def test_pattern_ends_where_the_text_ends() -> None:
    """As JSON Schema requires; Python's $ would allow a line break after the match."""
    assert patterns.matches("^true$", "true")
    assert not patterns.matches("^true$", "true\n")
    assert patterns.matches("auth|store id", "E01:Invalid store id")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("s3cret\n", "config.key has a space or line break at its end"),
        ("s3cret ", "config.key has a space or line break at its end"),
        ("\u00a0s3cret", "config.key has a space or line break at its beginning"),
        (" s3cret\r\n", "config.key has a space or line break at its beginning and its end"),
        (" ", "config.key has a space or line break at its beginning and its end"),
        ("s3\u200bcret", "config.key has an invisible character"),
        ("\ufeffs3cret", "config.key has an invisible character"),
        ("-----BEGIN-----\nabc\n-----END----- \n", "config.key has a space or line break at its end"),
    ],
)
@pytest.mark.parametrize("field", [{"type": "string"}, {"type": "string", "pattern": "^[a-z0-9]+$", "x-secret": True}])
def test_pasted_white_space_is_named_as_the_problem(text: str, sentence: str, field: dict[str, Any]) -> None:
    """HUB 7, 56: with or without a pattern; the value is not repeated."""
    schema = {"type": "object", "properties": {"key": field}, "additionalProperties": False}
    with pytest.raises(ConfigSchemaInvalid) as raised:
        validate(schema, {"key": text})

    assert str(raised.value) == sentence


def test_text_of_several_lines_may_end_in_a_line_break() -> None:
    schema = {"type": "object", "properties": {"key": {"type": "string"}}, "additionalProperties": False}
    validate(schema, {"key": "-----BEGIN-----\nabc\n\tdef\n-----END-----\n"})


def test_large_pattern_is_accepted_for_a_short_text() -> None:
    schema = changed(a={"type": "string", "pattern": LARGE, "maxLength": 900})
    config_schema.check(schema)
    validate(schema, {"a": "01" * 400 + "x"})
    assert refusal({"a": "01" * 400}, schema) == f"config.a must match {LARGE}"


@pytest.mark.parametrize("inside", [False, True])
def test_pattern_is_not_tried_on_a_text_that_is_too_long(inside: bool) -> None:
    """HUB 55: otherwise maxLength would limit nothing."""
    field: dict[str, Any] = {"type": "string", "pattern": "^[a-z]+$", "maxLength": 10}
    schema = changed(a={"allOf": [field]} if inside else field)

    assert refusal({"a": "1" * 11}, schema) == "config.a must have at most 10 characters"
    assert refusal({"a": "1" * 10}, schema) == "config.a must match ^[a-z]+$"
    assert refusal({"a": "1" * 16385}, changed(a={"pattern": "^a+$"})) == "config.a must have at most 16384 characters"
    validate(schema, {"a": "b" * 10})


@pytest.mark.parametrize("values", [[1] * 200, [[1] * 100] * 2, [{"a": 1}] * 100])
def test_config_with_too_many_values_is_not_validated(values: Any) -> None:
    assert refusal({"a": values}, changed(a={})) == "config holds more than 200 values"
    validate(changed(a={}), {"a": [1] * 199})


def test_value_of_another_type_is_refused_in_the_words_of_a_request() -> None:
    """HUB 7"""
    types = {"a": ["string", "null"], "b": "number", "c": "boolean", "d": "array", "e": "null"}
    schema = {"properties": {name: {"type": of} for name, of in types.items()} | {"f": {"minLength": 1}}}
    config = {"a": 5, "b": "1", "c": 1, "d": {}, "e": 0}

    assert refusal(config, schema) == (
        "config.a must be a string or null; config.b must be a number; config.c must be true or false; "
        "config.d must be a list; config.e must be null"
    )
    assert refusal({"f": ""}, schema) == "config.f must not be empty"
