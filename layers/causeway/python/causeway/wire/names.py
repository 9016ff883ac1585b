"""Names that people give to things: one form each, and nothing in them that cannot be seen."""

import re
from typing import Any
from unicodedata import category, normalize

from causeway.errors.requests import InvalidRequest
from causeway.wire.fields import text_field

# Characters that show nothing and are no blank; is_name() of schema/0001_tenancy.sql has the same ranges. They are not
# read from unicodedata, so that every Python and every Postgres answers alike. They hold control and format characters
# (Cc, Cf), line and paragraph separators, private use, what Unicode calls Default_Ignorable_Code_Point
# (https://www.unicode.org/Public/UCD/latest/ucd/DerivedCoreProperties.txt), and three signs without ink: the Braille
# pattern without a dot, the filler of Khitan, the null note head.
_UNSEEN = re.compile(
    r"[\u0000-\u001f\u007f-\u009f\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890-\u0891\u08e2\u115f-\u1160"
    r"\u17b4-\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ue000-\uf8ff\ufe00-\ufe0f"
    r"\ufeff\uffa0\ufff0-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U00016fe4\U0001bca0-\U0001bca3"
    r"\U0001d159\U0001d173-\U0001d17a\U000e0000-\U000e0fff\U000f0000-\U0010ffff]"
)


def name_field(fields: dict[str, Any], name: str, longest: int) -> str:
    """Return a name in its one form, so that two names that look alike are equal: NFC, trimmed, single spaces.

    The database's is_name() accepts no other form.

    Raises:
        InvalidRequest: no text, too long, nothing but blanks, or with a line break, an invisible character, or one that
            this Python's Unicode does not know.
    """
    text = normalize("NFC", text_field(fields, name, longest))
    # A line break at an end is pasted, and is a blank like any other there.
    trimmed = text.strip()
    if unseen(trimmed):
        raise InvalidRequest(f"{name} must not have line breaks or invisible characters")
    # Another Unicode than this Python's may bring such a character into another order or form.
    if any(category(one) == "Cn" for one in trimmed):
        raise InvalidRequest(f"{name} has a character that is not known here")
    kept = " ".join(trimmed.split())
    if not 1 <= len(kept) <= longest:
        raise InvalidRequest(f"{name} must be a string of 1 to {longest} characters that are not all blank")
    return kept


def unseen(text: str) -> bool:
    """Return whether a text has a character that shows nothing and is no space."""
    return _UNSEEN.search(text) is not None
