"""Patterns that people write into templates: matched in time linear in the text, or refused when they are written.

The engine is jsonschema-rs's with RegexOptions, which is Rust's regex crate: it has no look-around and no
back-reference, and promises linear time (https://docs.rs/regex/latest/regex/#untrusted-input). Python's re has no such
promise for any pattern. Syntax and search are JSON Schema's: unanchored, $ is the end of the text alone.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jsonschema_rs import RegexOptions

# Characters of a pattern, and bytes it may take when compiled: far above what any provider needs.
MOST_CHARACTERS = 200
_MOST_COMPILED = 1 << 18
# Bytes that the smallest pattern counts as: a step through a text costs something too.
_LEAST_COMPILED = 1 << 11
# What compiling costs, in bytes of text that could be matched meanwhile.
_COMPILING = 16
# What a pattern is that cannot be matched so; for a sentence that begins with its field.
REFUSED = "is not a pattern that can be matched in linear time (no look-around, no back-reference, no large repetition)"


def engine() -> "RegexOptions":
    """Return the engine, as a validator of jsonschema-rs takes it."""
    from jsonschema_rs import RegexOptions

    return RegexOptions(size_limit=_MOST_COMPILED)


def why_refused(pattern: str) -> str | None:
    """Return what is wrong with a pattern, for a sentence that begins with its field; None where nothing is."""
    if len(pattern) > MOST_CHARACTERS:
        return f"is longer than {MOST_CHARACTERS} characters"
    try:
        matches(pattern, "")
    except ValueError:
        return REFUSED
    return None


def matches(pattern: str, text: str) -> bool:
    """Return whether a pattern that why_refused has passed matches anywhere in a text.

    A lone surrogate, which a platform's JSON may name by an escape, is no character, and is matched as a question mark.
    """
    from jsonschema_rs import Draft202012Validator

    return Draft202012Validator({"pattern": pattern}, pattern_options=engine()).is_valid(
        text.encode(errors="replace").decode()
    )


def work(pattern: str, text: int) -> int:
    """Return how much work a pattern can be: linear time is a step per state of the pattern for each byte of a text.

    Args:
        pattern: of at most MOST_CHARACTERS characters.
        text: bytes of the longest text that it is matched against.

    Returns:
        Bytes of the compiled pattern (the next power of two) times bytes of text. Of the patterns that were measured
        the slowest took a third of a second for 2^30.

    Raises:
        ValueError: it cannot be compiled within the limit.
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
