"""Validation of configurations by a provider's JSON Schema: refusals name the path and never repeat a value."""

import copy
from typing import Any

import pytest

from causeway.catalogue import patterns, schema_work
from causeway.catalogue.config_schema import check_pattern, check_schema, secret_fields, split, validate
from causeway.errors.catalogue import ConfigSchemaInvalid
from causeway.errors.requests import InvalidRequest
from causeway.wire.strict_json import parse_object

CANARY = "CANARY-5f1d8c"
SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {
        "apiKey": {"type": "string", "minLength": 20, "maxLength": 30, "pattern": "^k_[a-z]+$", "x-secret": True},
        "region": {"enum": ["eu", "us"]},
        "port": {"type": "integer", "minimum": 1, "maximum": 65535, "default": 443},
        "mail": {"type": "string", "format": "email"},
        "webhookSecret": {"type": "string", "x-secret": True},
        "owner": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "phone": {"type": "string"}},
            "required": ["name"],
            "additionalProperties": False,
        },
        "hosts": {"type": "array", "items": {"type": "string", "pattern": "^[a-z]+$"}, "maxItems": 2},
    },
    "required": ["apiKey", "region"],
    "additionalProperties": False,
}
KEY = "k_abcdefghijklmnopqrstuv"
VALID = {"apiKey": KEY, "region": "eu"}


def refusal(config: Any, schema: dict[str, Any] = SCHEMA) -> str:
    """The sentence with which a configuration is refused."""
    with pytest.raises(ConfigSchemaInvalid) as caught:
        validate(schema, config)
    assert (caught.value.code, caught.value.status) == ("CONFIG_SCHEMA_INVALID", 400)
    return caught.value.sentence


def schema_refusal(schema: Any) -> str:
    """The sentence with which a provider's schema is refused."""
    with pytest.raises(ConfigSchemaInvalid) as caught:
        check_schema(schema)
    return caught.value.sentence


# A backtracking engine practically never ends on each of these with a long text that fails to match at its end.
STALLING = (
    *("(a+)+$", "(?:x*a){2,}$", "^(([a-z])+.)+[A-Z]$", "(a|aa)+$", "^(?:.|.)*!$", r"^(\w|a)*!$", "(?:a?){30}a{30}!$"),
    *("a*a*a*a*!$", "^(a|[a-z])*!$"),
)
# Not supported by a linear-time engine, or no valid patterns.
LOOKING = ("(?=a)b", r"(a)\1", "(", "[z-a]", "a{1000000}", "(?!x)", "(?<=a)b", r"\Z", "(?P=a)")


def changed(**fields: Any) -> dict[str, Any]:
    """The schema above with these fields replaced."""
    return copy.deepcopy(SCHEMA) | {"properties": fields, "required": []}


def test_valid_config_is_accepted() -> None:
    """HUB 7"""
    check_schema(SCHEMA)
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
        ({"apiKey": "k_short"}, "config.apiKey must have at least 20 characters"),
        ({"apiKey": 5}, "config.apiKey must be of type string"),
        ({"apiKey": "K" + KEY}, "config.apiKey must match ^k_[a-z]+$"),
        ({"port": "443"}, "config.port must be of type integer"),
        ({"port": True}, "config.port must be of type integer"),
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
        ("tokén", "must have ASCII characters alone"),
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
    assert refusal(config) == "config must be of type object"


def test_several_problems_are_named_at_once_up_to_a_limit() -> None:
    """HUB 7"""
    assert refusal({}) == "config.apiKey is missing; config.region is missing"
    assert refusal(VALID | {f"x{n}": 1 for n in range(50)}).count(";") == 2


def test_number_with_a_fraction_is_refused_with_its_path() -> None:
    """HUB 7: the body's parser keeps such a number as text, which must not pass as a string."""
    body = parse_object(b'{"hosts": ["a", 1.5]}')
    assert refusal(VALID | body) == "config.hosts[1] must be a whole number"


def test_alternatives_are_named_together() -> None:
    """HUB 7"""
    schema = changed(a={"type": "string"}, b={"type": "string"}) | {"anyOf": [{"required": ["a"]}, {"required": ["b"]}]}
    check_schema(schema)
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


def test_secrets_are_split_off() -> None:
    """HUB 1"""
    config = VALID | {"port": 1, "owner": {"name": "n"}, "webhookSecret": "s"}

    assert secret_fields(SCHEMA) == {"apiKey", "webhookSecret"}
    assert split(SCHEMA, config) == (
        {"region": "eu", "port": 1, "owner": {"name": "n"}},
        {"apiKey": KEY, "webhookSecret": "s"},
    )
    assert split(SCHEMA, {"region": "eu"}) == ({"region": "eu"}, {})


def test_required_as_a_mark_on_a_field_is_refused_with_what_to_write() -> None:
    """A common mistake: `required: true` inside a property is invalid in JSON Schema."""
    faulty = changed(apiKey={"type": "string", "description": "API key", "required": True})
    assert schema_refusal(faulty) == (
        "config_schema.properties.apiKey.required must be a list of field names beside `properties`, "
        "not a mark on one field"
    )


@pytest.mark.parametrize(
    "keyword", ["encrypted", "x-secrets", "secret", "minLenght", "patternProperties", "$id", "not"]
)
def test_unknown_keyword_is_refused(keyword: str) -> None:
    """JSON Schema ignores unknown keywords: with `encrypted: true` the secret would be stored unencrypted."""
    sentence = schema_refusal(changed(apiKey={"type": "string", keyword: {}}))
    assert sentence == f"config_schema.properties.apiKey has the keyword {keyword}, which is not taken" or (
        keyword == "$id" and sentence.startswith("config_schema.properties.apiKey.$id")
    )


@pytest.mark.parametrize(
    ("schema", "sentence"),
    [
        ([], "config_schema must be a JSON object"),
        (SCHEMA | {"type": "string"}, "config_schema.type must be object"),
        ({"properties": {}}, "config_schema.type must be object"),
        ({"type": "object"}, "config_schema.additionalProperties must be false: unknown fields are refused"),
        (
            changed(a={"type": ["object", "null"]}),
            "config_schema.properties.a.additionalProperties must be false: unknown fields are refused",
        ),
        (
            SCHEMA | {"$schema": "http://json-schema.org/draft-07/schema#"},
            "config_schema.$schema must be https://json-schema.org/draft/2020-12/schema",
        ),
        (changed(a={"type": "text"}), "config_schema.properties.a.type is not valid in JSON Schema 2020-12"),
        (changed(a=True), "config_schema.properties.a must be an object, not true or false"),
        (
            changed(**{"a.b": {"type": "string"}}),
            "config_schema.properties names a field that is not 1 to 64 letters, digits and underscores",
        ),
        (changed(a={"type": "string", "description": "x" * 17000}), "config_schema is larger than 16384 bytes"),
        (
            changed(a={"type": "string", "pattern": "^/[a-z]*$", "default": "/../x"}),
            "config_schema.properties.a.default does not fit its own field",
        ),
        (changed(a={"description": "\0"}), "config_schema.properties.a.description holds a character that is not text"),
    ],
)
def test_unsupported_schema_is_refused(schema: Any, sentence: str) -> None:
    """HUB 7"""
    assert schema_refusal(schema) == sentence


def test_schema_that_is_nested_too_deeply_is_refused() -> None:
    """HUB 7"""
    inner: dict[str, Any] = {"type": "string"}
    for _ in range(2000):
        inner = {"type": "array", "items": inner}
    assert schema_refusal(changed(a=inner)) == "config_schema is nested more than 16 levels deep"


@pytest.mark.parametrize(
    "reference",
    ["https://example.org/schema", "//example.org/schema", "file:///etc/passwd", "#", "#/properties/a", "other.json"],
)
def test_reference_out_of_the_schema_is_refused(reference: str) -> None:
    """HUB 7: validating a configuration must not fetch a document from elsewhere."""
    sentence = schema_refusal(changed(a={"$ref": reference}))
    assert sentence == "config_schema.properties.a.$ref must be #/$defs/<name>, and $defs themselves refer to nothing"


def test_reference_to_the_schemas_own_definitions_is_followed() -> None:
    schema = changed(a={"$ref": "#/$defs/name"}) | {"$defs": {"name": {"type": "string", "maxLength": 3}}}
    check_schema(schema)
    validate(schema, {"a": "abc"})
    assert refusal({"a": "abcd"}, schema) == "config.a must have at most 3 characters"


@pytest.mark.parametrize(
    "definitions", [{"a": {"$ref": "#/$defs/a"}}, {"a": {"$ref": "#/$defs/b"}, "b": {"items": {"$ref": "#/$defs/a"}}}]
)
def test_definitions_that_refer_on_are_refused(definitions: dict[str, Any]) -> None:
    assert "$defs themselves refer to nothing" in schema_refusal(changed() | {"$defs": definitions})


def test_reference_to_nothing_is_refused() -> None:
    sentence = schema_refusal(changed(a={"$ref": "#/$defs/none"}))
    assert sentence == "config_schema refers to a definition that is not in it"


@pytest.mark.parametrize("pattern", LOOKING)
def test_pattern_that_is_not_matched_in_linear_time_is_refused(pattern: str) -> None:
    assert schema_refusal(changed(a={"type": "string", "pattern": pattern})) == (
        "config_schema.properties.a.pattern is not a pattern that can be matched in linear time "
        "(no look-around, no back-reference, no large repetition)"
    )


@pytest.mark.parametrize("pattern", ["^(sk|rk)_[!-~]+$", r"^[(*+)]+\(+$", "(-[a-z]+)?", "^(ab){2}c+$", *STALLING])
def test_harmless_pattern_is_taken(pattern: str) -> None:
    check_schema(changed(a={"type": "string", "pattern": pattern}))


@pytest.mark.parametrize("pattern", STALLING)
def test_pattern_that_stalls_a_backtracking_matcher_answers_at_once(pattern: str) -> None:
    """HUB 55: matched against the longest accepted text, by both of the ways in which patterns are matched."""
    schema = {"type": "object", "properties": {"a": {"type": "string", "pattern": pattern}}}
    with pytest.raises(ConfigSchemaInvalid, match=r"config\.a must match"):
        validate(schema, {"a": "a" * 16000 + "?"})
    assert not patterns.matches(pattern, "a" * 16000 + "?")


@pytest.mark.parametrize("pattern", LOOKING)
def test_pattern_of_a_health_call_that_is_not_matched_in_linear_time_is_refused(pattern: str) -> None:
    """HUB 55: the same rule as for a config schema."""
    with pytest.raises(
        InvalidRequest, match=r"health_call\.refused_when\.pattern is not a pattern that can be matched"
    ):
        check_pattern(pattern)


def test_pattern_ends_where_the_text_ends() -> None:
    """As JSON Schema requires; Python's $ would allow a line break after the match."""
    assert patterns.matches("^true$", "true")
    assert not patterns.matches("^true$", "true\n")
    assert patterns.matches("auth|store id", "E01:Invalid store id")


def test_pattern_of_absurd_length_is_refused() -> None:
    assert schema_refusal(changed(a={"pattern": "a" * 201})) == (
        "config_schema.properties.a.pattern is longer than 200 characters"
    )


@pytest.mark.parametrize(
    "schema",
    [
        changed(a={"type": "object", "properties": {}, "additionalProperties": False, "x-secret": True}),
        changed(
            a={
                "type": "object",
                "properties": {"b": {"type": "string", "x-secret": True}},
                "additionalProperties": False,
            }
        ),
        changed(a={"type": ["string", "null"], "x-secret": True}),
        changed(a={"x-secret": True}),
        changed(a={"type": "string", "x-secret": "yes"}),
        changed(a={"type": "string", "x-secret": False}),
        changed(a={"type": "array", "items": {"type": "string", "x-secret": True}}),
        changed(a={"$ref": "#/$defs/s"}) | {"$defs": {"s": {"type": "string", "x-secret": True}}},
        changed(a={"type": "string"}) | {"anyOf": [{"properties": {"a": {"type": "string", "x-secret": True}}}]},
        changed(a={"type": "string"}) | {"if": {}, "then": {"properties": {"a": {"type": "string", "x-secret": True}}}},
        changed() | {"x-secret": True},
    ],
)
def test_secret_where_split_cannot_find_it_is_refused(schema: dict[str, Any]) -> None:
    """HUB 1: otherwise it would be stored unencrypted."""
    assert ".x-secret must" in schema_refusal(schema)


@pytest.mark.parametrize("keyword", ["default", "const", "enum", "examples"])
def test_secret_cannot_have_its_value_in_the_schema(keyword: str) -> None:
    """HUB 1: everybody can read the schema."""
    value = [CANARY] if keyword in ("enum", "examples") else CANARY
    sentence = schema_refusal(changed(a={"type": "string", "x-secret": True, keyword: value}))
    assert sentence == f"config_schema.properties.a.{keyword} would show what is secret"


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


# One of the largest accepted patterns: 256 KiB compiled.
LARGE = "(?:(?:[01]?){40}){40}[a-z]"
TOO_MUCH = "config_schema is too much work to check a configuration by: set maxLength beside each pattern"


@pytest.mark.parametrize(
    ("fields", "more"),
    [
        ({"a": {"type": "string", "pattern": LARGE}}, {}),
        ({"a": {"type": "string", "pattern": LARGE, "maxLength": 2000}}, {}),
        ({"a": {"allOf": [{"pattern": f"{LARGE}{n}", "maxLength": 16} for n in range(90)]}}, {}),
        ({f"a{n}": {"pattern": LARGE, "maxLength": 16} for n in range(90)}, {}),
        ({"a": {"items": {"pattern": LARGE, "maxLength": 16}}}, {}),
        ({"a": {"allOf": [{"$ref": "#/$defs/d"}] * 90}}, {"$defs": {"d": {"pattern": LARGE, "maxLength": 16}}}),
        ({"a": {"allOf": [{"$ref": "#/$defs/d"}] * 300}}, {"$defs": {"d": {"allOf": [{"minLength": 1}] * 300}}}),
        ({"a": {"items": {"allOf": [{"type": "integer"}] * 700}}}, {}),
        ({"a": {"items": {"enum": [[n] for n in range(1500)]}}}, {}),
    ],
    ids=lambda value: str(value)[:60],
)
def test_too_expensive_schema_is_refused_when_it_is_written(fields: dict[str, Any], more: dict[str, Any]) -> None:
    """HUB 55: linear time is not enough if patterns are many or large; a create took half a minute."""
    assert schema_refusal(changed(**fields) | more) == TOO_MUCH


@pytest.mark.parametrize("keyword", ["anyOf", "oneOf", "if"])
def test_each_alternative_around_a_pattern_adds_its_cost(keyword: str) -> None:
    """The engine matches again to explain why no alternative matches."""
    inner: dict[str, Any] = {"pattern": LARGE, "maxLength": 300}
    works = [schema_work.is_too_much(inner)]
    for _ in range(4):
        inner = {keyword: inner if keyword == "if" else [inner]}
        works.append(schema_work.is_too_much(inner))
    assert works == [False, False, False, True, True]


def test_large_pattern_is_accepted_for_a_short_text() -> None:
    schema = changed(a={"type": "string", "pattern": LARGE, "maxLength": 900})
    check_schema(schema)
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


@pytest.mark.parametrize("more", [{"pattern": "^a$"}, {"x-secret": True}, {"not": {}}, True])
def test_schema_for_unknown_fields_is_refused(more: Any) -> None:
    """Nobody would check its patterns, marks and keywords."""
    assert schema_refusal(changed(a={"additionalProperties": more})) == (
        "config_schema.properties.a.additionalProperties must be false: unknown fields are refused"
    )
