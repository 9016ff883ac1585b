"""Fields of a request's body or query, read one by one; what is wrong with one is said with its name."""

from typing import Any
from uuid import UUID

from causeway.errors.requests import InvalidRequest
from causeway.errors.tree import CausewayError
from causeway.wire.strict_json import NotAnInteger, shown_name


def known_fields(fields: dict[str, Any], known: set[str]) -> None:
    """Raise InvalidRequest where a field is not known; what is known is told, as the field's name may not be."""
    unknown = sorted(set(fields) - known)
    if unknown:
        takes = ", ".join(sorted(known)) or "none"
        raise InvalidRequest(f"{shown_name(unknown[0])} is not a field of this request; it takes {takes}")


def text_field(fields: dict[str, Any], name: str, longest: int, default: str | None = None) -> str:
    """Return a text that a database can hold; it may be empty where the default is.

    Raises:
        InvalidRequest: no text, too long, with a NUL or a lone surrogate.
    """
    value = fields.get(name, default)
    shortest = 0 if default == "" else 1
    is_text = isinstance(value, str) and not isinstance(value, NotAnInteger)
    if not is_text or not shortest <= len(value) <= longest or "\0" in value:
        raise InvalidRequest(f"{name} must be a string of {shortest} to {longest} characters")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise InvalidRequest(f"{name} is not valid Unicode") from error
    return value


def choice_field(fields: dict[str, Any], name: str, values: tuple[str, ...], default: str | None = None) -> str | None:
    """Return one of the values, or the default where the field is missing; raises InvalidRequest."""
    value = fields.get(name, default)
    if value not in values and (name in fields or value is not None):
        raise InvalidRequest(f"{name} must be one of {', '.join(values)}")
    return value


def object_field(fields: dict[str, Any], name: str) -> dict[str, Any]:
    """Return an object; raises InvalidRequest."""
    value = fields.get(name)
    if not isinstance(value, dict):
        raise InvalidRequest(f"{name} must be an object")
    return value


def uuid_or(text: str, error: type[CausewayError]) -> UUID:
    """Return the UUID that a text is, in its canonical form: 8-4-4-4-12 digits, in either case; raises the error."""
    try:
        value = UUID(text)
    except ValueError as wrong:
        raise error from wrong
    # Python takes a URN, braces and any dashes too.
    if str(value) != text.lower():
        raise error
    return value
