"""Fields of a request, as JSON brings them."""

import pytest

from causeway.errors import InvalidRequest
from causeway.fields import text_field
from causeway.strict_json import parse_object


@pytest.mark.parametrize("text", ['"one"', '"1.5"', '"\\u00fa\\udaf4\\uddf6"'])
def test_text_is_taken(text: str) -> None:
    body = parse_object(f'{{"name":{text}}}'.encode())

    assert text_field(body, "name", 100) == body["name"]


@pytest.mark.parametrize(
    "value", ["1", "1.5", "1e3", "1" * 50, "true", "null", "[]", "{}", '""', '"\\u0000"', '"\\ud800"']
)
def test_what_is_no_text_is_refused_with_the_fields_name(value: str) -> None:
    """Numbers with a fraction or of absurd length are kept as they were written, and are no texts for that."""
    with pytest.raises(InvalidRequest, match="name"):
        text_field(parse_object(f'{{"name":{value}}}'.encode()), "name", 100)
