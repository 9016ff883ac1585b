"""The parts of docs/schema.md that need no database: expressions, cells, sections."""

import pytest

from tools.schema_document.expressions import cell, code, rule_of, shortened
from tools.schema_document.sections import Unsorted, place_of


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        ("CHECK (version > 0)", "version > 0"),
        ("CHECK (a >= 1 AND (b > 2)) NOT VALID", "a >= 1 AND (b > 2)"),
        ("CHECK (status = ANY (ARRAY['a'::text, 'b'::text]))", "status IN ('a', 'b')"),
        ("CHECK (code ~ '^it''s::text$'::text)", "code ~ '^it''s::text$'"),
        ("CHECK (version <= '4294967295'::bigint)", "version <= 4294967295"),
        ("CHECK (n = ANY (ARRAY[0, 4]))", "n IN (0, 4)"),
        ("CHECK (payload::text <> ''::text)", "payload::text <> ''"),
    ],
)
def test_check_is_shown_as_a_person_would_write_it(printed: str, shown: str) -> None:
    assert rule_of(printed) == shown


def test_expression_is_shown_in_one_line() -> None:
    assert shortened("CASE\n    WHEN a THEN NULL::text\n    ELSE b\nEND") == "CASE WHEN a THEN NULL ELSE b END"


def test_cell_cannot_break_its_table() -> None:
    assert code("a || b") == r"`a \|\| b`"
    assert code("") == ""
    assert cell("a <kind> | b") == r"a \<kind\> \| b"


def test_first_section_that_names_a_table_has_it() -> None:
    assert place_of("integration_providers")[0].title == "Catalogue"
    assert place_of("integration_health")[0].title == "Connections"


def test_name_without_a_section_says_where_to_add_it() -> None:
    with pytest.raises(Unsorted) as raised:
        place_of("novelties")

    assert str(raised.value) == (
        "novelties belongs to no section of docs/schema.md: name it in tools/schema_document/sections.py"
    )
