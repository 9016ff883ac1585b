"""Fields of a JSON object, read one by one where no model is loaded; each error names the field."""

import re
from typing import Any
from uuid import UUID

from causeway.errors.requests import InvalidRequest
from causeway.errors.tree import CausewayError

# A bigint's.
LARGEST_INTEGER = 2**63 - 1
# A code that the deployment gives to a tenant or a game provider; the CHECKs of schema/ have the same.
CODE = re.compile(r"[A-Z0-9_]{1,64}")
# Characters of an id that another system made.
LONGEST_ID = 255
# A Python string holds a whole pair as one character.
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def text_field(fields: dict[str, Any], name: str, longest: int, default: str | None = None) -> str:
    """Return a text as it was sent.

    Args:
        fields: of the body or the query.
        name: the field's.
        longest: characters at most; the text may be empty only if default is.
        default: of an absent field; None: the field is required.

    Raises:
        InvalidRequest: not a string, of another length, or with a NUL or a lone surrogate.
    """
    value = fields.get(name, default)
    shortest = 0 if default == "" else 1
    if not isinstance(value, str) or not shortest <= len(value) <= longest:
        raise InvalidRequest(f"{name} must be a string of {shortest} to {longest} characters")
    if not is_storable(value):
        raise InvalidRequest(f"{name} holds a character that is not text")
    return value


def is_storable(text: str) -> bool:
    """Return whether Postgres can store a text: it has no NUL and no lone surrogate."""
    return "\0" not in text and _LONE_SURROGATE.search(text) is None


def id_field(fields: dict[str, Any], name: str) -> str:
    """Return an id that another system made: a text of 1 to 255 characters, as it was sent; raises InvalidRequest."""
    return text_field(fields, name, LONGEST_ID)


def optional_id_field(fields: dict[str, Any], name: str) -> str | None:
    """Return an id as id_field does; None if the field is absent or null."""
    return None if fields.get(name) is None else id_field(fields, name)


def integer_field(fields: dict[str, Any], name: str) -> int:
    """Return an id that is a whole number from 1 to 2^63 - 1.

    Raises:
        InvalidRequest: absent, not an integer (true and "1" are not), or out of range.
    """
    value = fields.get(name)
    if type(value) is not int or not 1 <= value <= LARGEST_INTEGER:
        raise InvalidRequest(f"{name} must be a whole number from 1 to {LARGEST_INTEGER}")
    return value


def parse_uuid(text: str, error: type[CausewayError]) -> UUID:
    """Return the UUID of a text in the canonical form (8-4-4-4-12 digits, upper or lower case); raises error."""
    try:
        value = UUID(text)
    except ValueError as wrong:
        raise error from wrong
    # Python also accepts a URN, braces and dashes in any place.
    if str(value) != text.lower():
        raise error
    return value
