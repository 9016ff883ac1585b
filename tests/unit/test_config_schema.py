"""What a config_schema may be: a schema that could store a secret unencrypted, or cost too much, is refused."""

from typing import Any

import pytest

from causeway.catalogue import config_schema, secret_fields, validation_cost
from causeway.catalogue.document import HealthCall
from causeway.errors.catalogue import ConfigSchemaInvalid
from causeway.errors.requests import InvalidRequest
from tests.unit.config_schemas import CANARY, KEY, LARGE, LOOKING, SCHEMA, STALLING, VALID, changed


def schema_refusal(schema: Any) -> str:
    """The sentence with which a provider's schema is refused."""
    with pytest.raises(ConfigSchemaInvalid) as caught:
        config_schema.check(schema)
    return caught.value.sentence


def test_secrets_are_split_off() -> None:
    """HUB 1"""
    config = VALID | {"port": 1, "owner": {"name": "n"}, "webhookSecret": "s"}

    assert secret_fields.names(SCHEMA) == {"apiKey", "webhookSecret"}
    assert secret_fields.split(SCHEMA, config) == (
        {"region": "eu", "port": 1, "owner": {"name": "n"}},
        {"apiKey": KEY, "webhookSecret": "s"},
    )
    assert secret_fields.split(SCHEMA, {"region": "eu"}) == ({"region": "eu"}, {})


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
    config_schema.check(changed(a={"type": "string", "pattern": pattern}))


@pytest.mark.parametrize("pattern", LOOKING)
def test_pattern_of_a_health_call_that_is_not_matched_in_linear_time_is_refused(pattern: str) -> None:
    """HUB 55: the same rule as for a config schema."""
    with pytest.raises(InvalidRequest) as caught:
        HealthCall.parse(
            {"method": "GET", "path": "/", "expect": [200], "refusedWhen": {"pointer": "/a", "pattern": pattern}}
        )
    assert caught.value.sentence == (
        "refusedWhen.pattern is not a pattern that can be matched in linear time "
        "(no look-around, no back-reference, no large repetition)"
    )


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
    works = [validation_cost.is_too_high(inner)]
    for _ in range(4):
        inner = {keyword: inner if keyword == "if" else [inner]}
        works.append(validation_cost.is_too_high(inner))
    assert works == [False, False, False, True, True]


@pytest.mark.parametrize("more", [{"pattern": "^a$"}, {"x-secret": True}, {"not": {}}, True])
def test_schema_for_unknown_fields_is_refused(more: Any) -> None:
    """Nobody would check its patterns, marks and keywords."""
    assert schema_refusal(changed(a={"additionalProperties": more})) == (
        "config_schema.properties.a.additionalProperties must be false: unknown fields are refused"
    )
