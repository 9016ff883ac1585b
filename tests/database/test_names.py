"""The database takes a name in its one form alone, whoever writes it."""

import pytest

from causeway.errors import InvalidRequest
from causeway.names import name_field
from tests.database.world import Casino

# Letters, blanks, marks and what shows nothing, alone and around a letter.
_CHARACTERS = [chr(one) for one in (*range(0x20, 0x2FF), *range(0x2000, 0x2070), *range(0xFE00, 0xFE10))] + list(
    "\t\n\u034f\u061c\u115f\u1680\u180e\u2800\u3000\u3164\ue000\ufeff\uffa0\U0001f3b0"
)


def test_database_and_code_agree_on_what_a_name_is(shared_casino: Casino) -> None:
    texts = [form.format(one) for one in _CHARACTERS for form in ("X{}Y", "{}X", "X{}", "{}")]
    texts += ["u\u0308", "X  Y", ""]
    found = shared_casino.query("SELECT t.text, is_name(t.text) AS name FROM unnest(%s::text[]) AS t (text)", [texts])

    assert {row.text: row.name for row in found} == {text: _is_name(text) for text in texts}


def _is_name(text: str) -> bool:
    try:
        return name_field({"name": text}, "name", 100) == text
    except InvalidRequest:
        return False


@pytest.mark.parametrize("name", ["X ", "\u200b", "X\nY"])
def test_row_with_a_name_in_another_form_is_refused(shared_casino: Casino, name: str) -> None:
    with pytest.raises(Exception, match="tenants_display_name_check"):
        shared_casino.query(
            "UPDATE tenants SET display_name = %s WHERE tenant_id = %s", [name, shared_casino.tenant_id]
        )
