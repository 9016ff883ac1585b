"""Fields of a JSON request, and ids in them: WALLET 30, 33."""

import json
from uuid import UUID

import pytest

from causeway.errors.connections import ConnectionNotFound
from causeway.errors.requests import InvalidRequest
from causeway.wire.field_readers import id_field, integer_field, optional_id_field, parse_uuid, text_field
from causeway.wire.strict_json import parse_object

LONGEST = 2**63 - 1


@pytest.mark.parametrize("text", ['"one"', '"1.5"', '"\\u00fa\\udaf4\\uddf6"'])
def test_text_is_accepted(text: str) -> None:
    body = parse_object(f'{{"name":{text}}}'.encode())

    assert text_field(body, "name", 100) == body["name"]


@pytest.mark.parametrize(
    "value", ["1", "1.5", "1e3", "1" * 50, "true", "null", "[]", "{}", '""', '"\\u0000"', '"\\ud800"']
)
def test_wrong_type_is_refused_with_the_fields_name(value: str) -> None:
    """The parser keeps numbers with a fraction or extreme length as written; they still do not count as texts."""
    with pytest.raises(InvalidRequest, match="name"):
        text_field(parse_object(f'{{"name":{value}}}'.encode()), "name", 100)


@pytest.mark.parametrize(
    "text",
    [
        "x",
        " ",
        "x" * 255,
        "\U0001f3b0" * 255,
        "e\u0301",
        "\u00e9",
        "\u202e\u200b\ufeff",
        "\x01\x7f",
        "'; DROP TABLE tenants; --",
        "<script>alert(1)</script>",
        "\ud7ff\ue000\uffff",
    ],
)
def test_text_of_1_to_255_characters_is_kept_as_sent(text: str) -> None:
    """WALLET 33"""
    assert id_field(parse_object(json.dumps({"id": text}).encode()), "id") == text
    assert id_field(parse_object(json.dumps({"id": text}, ensure_ascii=False).encode()), "id") == text


@pytest.mark.parametrize(
    "value",
    [
        '""',
        json.dumps("x" * 256),
        json.dumps("\U0001f3b0" * 256),
        "1",
        "1.5",
        "1e999",
        "9" * 5000,
        "true",
        "null",
        "[]",
        '["x"]',
        "{}",
        r'"\u0000"',
        r'"a\u0000b"',
        r'"\ud800"',
        r'"\udfff"',
        r'"a\udc00\ud800b"',
    ],
)
def test_text_not_of_1_to_255_characters_is_refused_with_the_fields_name(value: str) -> None:
    """WALLET 33"""
    body = parse_object(f'{{"roundId":{value}}}'.encode())

    with pytest.raises(InvalidRequest, match="roundId"):
        id_field(body, "roundId")


def test_a_surrogate_pair_is_one_character() -> None:
    """WALLET 33: U+1F3B0 as JavaScript escapes it"""
    assert id_field(parse_object(rb'{"id":"\ud83c\udfb0"}'), "id") == "\U0001f3b0"


def test_optional_text_may_be_absent_or_null_but_not_wrong() -> None:
    assert optional_id_field({}, "id") is None
    assert optional_id_field({"id": None}, "id") is None
    assert optional_id_field({"id": "x"}, "id") == "x"
    for wrong in ("", 1, False, [], "\0"):
        with pytest.raises(InvalidRequest, match="id"):
            optional_id_field({"id": wrong}, "id")
    with pytest.raises(InvalidRequest, match="id"):
        id_field({}, "id")


@pytest.mark.parametrize("number", [1, 2**31, 2**53 + 1, LONGEST])
def test_whole_numbers_from_1_are_ids(number: int) -> None:
    assert integer_field(parse_object(f'{{"userId":{number}}}'.encode()), "userId") == number


@pytest.mark.parametrize(
    "value",
    ["0", "-1", "-0", str(LONGEST + 1), str(10**30), "9" * 5000, "1.0", "1e0", "true", "null", '"1"', "[1]", "{}"],
)
def test_id_that_is_not_a_whole_number_from_1_is_refused_with_the_fields_name(value: str) -> None:
    """WALLET 30"""
    body = parse_object(f'{{"userId":{value}}}'.encode())

    with pytest.raises(InvalidRequest, match="userId"):
        integer_field(body, "userId")


def test_missing_number_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="userId"):
        integer_field({}, "userId")


ID = "0189a3f0-5c1b-7e2d-9a4f-3c6b8d0e1f2a"


@pytest.mark.parametrize("text", [ID, ID.upper()])
def test_uuid_in_canonical_form_is_accepted(text: str) -> None:
    assert parse_uuid(text, ConnectionNotFound) == UUID(ID)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        f"urn:uuid:{ID}",
        f"{{{ID}}}",
        ID.replace("-", ""),
        f"{ID} ",
        f"-{ID[:8]}{ID[9:]}",
        ID.replace("0", "\u0660"),
    ],
)
def test_uuid_in_another_form_is_refused(text: str) -> None:
    with pytest.raises(ConnectionNotFound):
        parse_uuid(text, ConnectionNotFound)
