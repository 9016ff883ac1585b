"""The database accepts names in normal form only, whatever code writes them."""

from unicodedata import category

import psycopg
import pytest

from causeway.database import postgres
from causeway.wire.names import NotAName, in_one_form
from tests.database.world import Casino

_FORMS = ("X{}Y", "{}X", "X{}", "{}")
# Characters whose form differs between letters, at an end and alone.
_CHARACTERS = [
    *map(chr, (*range(1, 0x300), *range(0x2000, 0x2070))),
    *"\u034f\u115f\u3000\u3164\ue000\U0001f3b0\U000e0100",
]
_EVERY = [chr(one) for one in range(1, 0x110000) if not 0xD800 <= one < 0xE000]


def test_database_and_code_agree_on_every_character_in_a_name(shared_casino: Casino) -> None:
    ((found,),) = shared_casino.query(
        """
        SELECT string_agg(t.character, '') FROM unnest(string_to_array(%s, NULL)) AS t (character)
        WHERE is_name('X' || t.character || 'Y')
        """,
        ["".join(_EVERY)],
    )
    named = set(found)
    known = [one for one in _EVERY if category(one) != "Cn"]

    assert [f"U+{ord(one):04X}" for one in known if _is_name(f"X{one}Y") != (one in named)] == []
    # The code accepts no character that another Unicode version may define: the versions disagree about its form.
    assert [f"U+{ord(one):04X}" for one in set(_EVERY) - set(known) if _is_name(f"X{one}Y")] == []


def test_every_name_constraint_has_an_error_in_the_code(shared_casino: Casino) -> None:
    """A refusal by the database alone is the caller's mistake, not a 500."""
    rows = shared_casino.query(
        "SELECT conname FROM pg_constraint WHERE contype = 'c' AND pg_get_constraintdef(oid) LIKE '%is_name(%'"
    )
    assert {row.conname for row in rows} == postgres._NAMES


def test_name_that_only_the_database_refuses_is_400(shared_casino: Casino) -> None:
    with psycopg.connect(shared_casino.urls["superuser"]) as database, pytest.raises(psycopg.Error) as raised:
        database.execute("UPDATE tenants SET display_name = 'X ' WHERE tenant_id = %s", [shared_casino.tenant_id])
    told = postgres._translated(raised.value)

    assert (told.code, told.status, told.sentence) == (
        *("INVALID_REQUEST", 400),
        "A name has a character that is not known here",
    )


def test_database_and_code_agree_on_names(shared_casino: Casino) -> None:
    texts = [form.format(one) for one in _CHARACTERS for form in _FORMS]
    texts += ["u\u0308", "X  Y", ""]
    found = shared_casino.query("SELECT t.text, is_name(t.text) AS name FROM unnest(%s::text[]) AS t (text)", [texts])

    assert {row.text: row.name for row in found} == {text: _is_name(text) for text in texts}


def _is_name(text: str) -> bool:
    try:
        return in_one_form(text, 100) == text
    except NotAName:
        return False


@pytest.mark.parametrize("name", ["X ", "\u200b", "X\nY"])
def test_row_with_a_name_not_in_normal_form_is_refused(shared_casino: Casino, name: str) -> None:
    with pytest.raises(Exception, match="tenants_display_name_check"):
        shared_casino.query(
            "UPDATE tenants SET display_name = %s WHERE tenant_id = %s", [name, shared_casino.tenant_id]
        )
