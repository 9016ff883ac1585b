"""Names in normal form: names that look alike are equal, invisible characters are refused."""

from typing import Annotated
from unicodedata import category, normalize

import pytest

from causeway.errors.requests import InvalidRequest
from causeway.wire.field_types import Name
from causeway.wire.models import Request
from causeway.wire.names import has_invisible
from tests.findings import none_of


class Named(Request):
    """A request with a name."""

    name: Annotated[str, Name(100)]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("X", "X"),
        *((blank, "X") for blank in ("X ", " X", "\tX\n", "X\r\n", "\u00a0X\u3000")),
        *((blanks, "X Y") for blanks in ("X  Y", "X\u00a0Y", "X \u2003 Y")),
        ("Zu\u0308rich", "Z\u00fcrich"),
        ("\u041a\u0430\u0437\u0438\u043d\u043e \U0001f3b0", "\u041a\u0430\u0437\u0438\u043d\u043e \U0001f3b0"),
    ],
)
def test_name_is_converted_to_its_normal_form(given: str, kept: str) -> None:
    assert Named.parse({"name": given}).name == kept


@pytest.mark.parametrize(
    "given",
    [
        *("", " ", "\u3000\n", "\u200b", "X\u200bY", "X\u200b", "X\nY", "X\tY", "X\x1fY", "X\u2028Y", "X\u2800Y"),
        *(
            "\u3164",
            "X\u00ad",
            "\u202eX",
            "X\ufeffY",
            "X\ufe0f",
            "X\u2060",
            "\x7f",
            "a" * 101,
            7,
            None,
            "X\0",
            "\ud800",
            # Characters that our version of Unicode does not define.
            *("X\U0002ffffY", "a\U0003134b", "X\ufdd0Y", "X\U000e0fffY"),
            *("X\u0890Y", "X\u08e2Y", "X\U000e0100Y", "X\U00016fe4Y", "X\U0001d159Y", "X\U000e0fffY", "X\U0010fffdY"),
        ),
    ],
    ids=ascii,
)
def test_name_with_invisible_characters_is_refused(given: object) -> None:
    with pytest.raises(InvalidRequest, match="name "):
        Named.parse({"name": given})


def test_much_too_long_name_is_refused_by_its_length_before_its_form_is_made() -> None:
    """Otherwise a name of many accents takes seconds: the time grows with the square of their number."""
    for given in ("X\u200b" + "a" * 399, "a" + "\u0315\u0300" * 100_000):
        with pytest.raises(InvalidRequest, match=r"^name must have at most 100 characters$"):
            Named.parse({"name": given})


def test_name_is_not_too_long_before_its_form_is_made() -> None:
    longest = "\u1f82" * 100
    sent = normalize("NFD", longest)

    assert len(sent) == 400
    assert Named.parse({"name": f"\n{sent} \n"}).name == longest
    assert Named.parse({"name": f"X{' ' * 1000}Y"}).name == "X Y"
    # No character has more parts.
    assert max(len(normalize("NFD", chr(one))) for one in range(0x110000)) == 4


def test_no_invisible_character_of_this_pythons_unicode_is_accepted() -> None:
    categories = ("Cc", "Cf", "Co", "Zl", "Zp")
    none_of(ascii(one) for one in map(chr, range(0x110000)) if category(one) in categories and not has_invisible(one))
