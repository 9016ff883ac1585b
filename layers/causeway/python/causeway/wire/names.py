"""Names that people give to things: each in one form, without invisible characters."""

import re
from unicodedata import category, normalize

# Invisible characters other than spaces; is_name() of schema/0002_tenancy.sql has the same ranges. They are not taken
# from unicodedata, so that every version of Python and Postgres answers the same. They are control and format
# characters (Cc, Cf), line and paragraph separators, private use, Unicode's Default_Ignorable_Code_Point
# (https://www.unicode.org/Public/UCD/latest/ucd/DerivedCoreProperties.txt), and three characters without ink: the empty
# Braille pattern, the filler of Khitan, the null note head.
_INVISIBLE = re.compile(
    r"[\u0000-\u001f\u007f-\u009f\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890-\u0891\u08e2\u115f-\u1160"
    r"\u17b4-\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ue000-\uf8ff\ufe00-\ufe0f"
    r"\ufeff\uffa0\ufff0-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U00016fe4\U0001bca0-\U0001bca3"
    r"\U0001d159\U0001d173-\U0001d17a\U000e0000-\U000e0fff\U000f0000-\U0010ffff]"
)
# Characters that NFC joins to one, at most: those of U+1F82.
_MOST_JOINED = 4


class NotAName(ValueError):
    """A text cannot be a name; the message is the rule that it breaks"""


def in_one_form(text: str, most: int) -> str:
    """Return a name in one form (NFC, trimmed, single spaces), so that two names that look the same are equal.

    The database's is_name() accepts no other form.

    Args:
        text: the name as it was sent, storable.
        most: characters that the name may have in this form.

    Raises:
        NotAName: too long, or only blanks, or with a line break, an invisible character, or a character that this
            Python's Unicode does not know.
    """
    too_long = NotAName(f"must have at most {most} characters")
    # The time of normalize grows with the square of the number of accents in a row.
    if len(" ".join(text.split())) > most * _MOST_JOINED:
        raise too_long
    # Pasting adds line breaks at the ends: trim them like other blanks.
    trimmed = normalize("NFC", text).strip()
    if has_invisible(trimmed):
        raise NotAName("must not have line breaks or invisible characters")
    # A newer Unicode may normalize an unknown character to another form.
    if any(category(character) == "Cn" for character in trimmed):
        raise NotAName("has a character that is not known here")
    kept = " ".join(trimmed.split())
    if not kept:
        raise NotAName("must not be blank")
    if len(kept) > most:
        raise too_long
    return kept


def has_invisible(text: str) -> bool:
    """Return whether a text has an invisible character that is not a space."""
    return _INVISIBLE.search(text) is not None
