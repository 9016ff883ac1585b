"""Names that people give to things: one form each, and nothing in them that cannot be seen."""

from typing import Any
from unicodedata import category, normalize

from causeway.errors import InvalidRequest
from causeway.fields import text_field

# Letters and marks that show nothing, beside the control and format characters: fillers of Hangul, Khmer's inherent
# vowels, Mongolian and other variation selectors, the Braille pattern without a dot.
_BLANK = frozenset("\u034f\u2065\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0") | {
    chr(one) for one in range(0xFE00, 0xFE10)
}
# Control, format, private use, line and paragraph separators.
_UNSEEN = frozenset(("Cc", "Cf", "Co", "Zl", "Zp"))


def name_field(fields: dict[str, Any], name: str, longest: int) -> str:
    """Return a name in its one form, so that two names that look alike are equal: NFC, trimmed, single spaces.

    The database's is_name() accepts no other form.

    Raises:
        InvalidRequest: no text, too long, nothing but blanks, or with a line break or an invisible character.
    """
    text = normalize("NFC", text_field(fields, name, longest))
    # A line break at an end is pasted, and is a blank like any other there.
    trimmed = text.strip()
    if any(unseen(one) for one in trimmed):
        raise InvalidRequest(f"{name} must not have line breaks or invisible characters")
    kept = " ".join(trimmed.split())
    if not 1 <= len(kept) <= longest:
        raise InvalidRequest(f"{name} must be a string of 1 to {longest} characters that are not all blank")
    return kept


def unseen(character: str) -> bool:
    """Return whether a character shows nothing, and is no space."""
    return category(character) in _UNSEEN or character in _BLANK
