"""Words of rules that models and configurations share."""

from collections.abc import Sequence

# Fields named in one sentence.
_MOST_NAMES = 20
# The types of JSON, by JSON Schema's names of them.
_TYPES = {
    "string": "a string",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "object": "an object",
    "array": "a list",
    "null": "null",
}
EMPTY = "must not be empty"


def of_type(*types: str) -> str:
    """Return the rule that a value of another type breaks. types: JSON Schema's names of the types that it may have."""
    return f"must be {' or '.join(_TYPES[name] for name in types)}"


def unknown_field(known: Sequence[str] | None) -> str:
    """Return the rule that an unknown field breaks.

    Args:
        known: the names of the fields that there are; None: they are not known, or an earlier problem tells them.
    """
    if known is None or len(known) > _MOST_NAMES:
        return "is not a known field"
    return (
        f"is not a known field: the fields are {', '.join(known)}"
        if known
        else "is not a known field: there are no fields"
    )


def counted(number: int, noun: str) -> str:
    """Return a number of things in words: "one field", "2 fields"."""
    return f"one {noun}" if number == 1 else f"{number} {noun}s"
