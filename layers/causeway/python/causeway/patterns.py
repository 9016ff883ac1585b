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
_MOST_COMPILED = 1 << 20
# What a pattern is that cannot be matched so; for a sentence that begins with its field.
REFUSED = "is not a pattern that can be matched in linear time (no look-around, no back-reference)"


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
