"""Patterns in templates: matched in linear time, or refused when they are written.

The engine is Rust's regex crate, which jsonschema-rs uses with RegexOptions: it has no look-around and no
back-reference, and guarantees linear time (https://docs.rs/regex/latest/regex/#untrusted-input). Python's re guarantees
it for no pattern. Syntax and search are JSON Schema's: unanchored, and $ matches only at the end of the text.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jsonschema_rs import RegexOptions

# Limits of a pattern in characters, and in bytes when compiled: far more than any provider needs.
MOST_CHARACTERS = 200
_MOST_COMPILED = 1 << 18
# Count a smaller pattern as this many bytes: each step through a text has a cost, too.
_LEAST_COMPILED = 1 << 11
# The cost of compiling a pattern, in bytes of text that could be matched in the same time.
_COMPILING = 16
# The fault of a pattern that cannot be matched in linear time; for a sentence that begins with its field.
REFUSED = "is not a pattern that can be matched in linear time (no look-around, no back-reference, no large repetition)"


def engine() -> "RegexOptions":
    """Return the pattern_options of a validator of jsonschema-rs."""
    from jsonschema_rs import RegexOptions

    return RegexOptions(size_limit=_MOST_COMPILED)


def fault(pattern: str) -> str | None:
    """Return a pattern's fault, for a sentence that begins with its field; None if the pattern is accepted."""
    if len(pattern) > MOST_CHARACTERS:
        return f"is longer than {MOST_CHARACTERS} characters"
    try:
        matches(pattern, "")
    except ValueError:
        return REFUSED
    return None


def matches(pattern: str, text: str) -> bool:
    """Return whether a pattern without a fault matches anywhere in a text.

    A lone surrogate, which an escape in a platform's JSON can produce, is matched as a question mark.
    """
    from jsonschema_rs import Draft202012Validator

    return Draft202012Validator({"pattern": pattern}, pattern_options=engine()).is_valid(
        text.encode(errors="replace").decode()
    )


def cost(pattern: str, text: int) -> int:
    """Return the highest cost of matching a pattern: linear time is one step per pattern state and byte of text.

    Args:
        pattern: of at most MOST_CHARACTERS characters.
        text: bytes of the longest text that it is matched against.

    Returns:
        Bytes of the compiled pattern (the next power of two) times bytes of text. The slowest pattern that was measured
        took a third of a second for 2^30.

    Raises:
        ValueError: the pattern cannot be compiled within the limit.
    """
    return _compiled(pattern) * (text + _COMPILING)


def _compiled(pattern: str) -> int:
    from jsonschema_rs import Draft202012Validator, RegexOptions

    size = _LEAST_COMPILED
    while size < _MOST_COMPILED:
        try:
            Draft202012Validator({"pattern": pattern}, pattern_options=RegexOptions(size_limit=size))
        except ValueError:
            size *= 2
        else:
            return size
    Draft202012Validator({"pattern": pattern}, pattern_options=engine())
    return size
