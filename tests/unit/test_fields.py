"""Fields of a JSON request."""

from uuid import UUID

import pytest

from causeway.errors.connections import ConnectionNotFound
from causeway.errors.requests import InvalidRequest
from causeway.wire.fields import text_field, uuid_or
from causeway.wire.strict_json import parse_object


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


ID = "0189a3f0-5c1b-7e2d-9a4f-3c6b8d0e1f2a"


@pytest.mark.parametrize("text", [ID, ID.upper()])
def test_uuid_in_canonical_form_is_accepted(text: str) -> None:
    assert uuid_or(text, ConnectionNotFound) == UUID(ID)


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
        uuid_or(text, ConnectionNotFound)
