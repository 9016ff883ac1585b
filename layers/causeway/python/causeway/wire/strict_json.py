"""JSON objects from outside, parsed strictly: refuse what two parsers could read differently."""

import json
import re
from typing import Any, Never

from causeway.errors.requests import MalformedBody
from causeway.wire.nesting import is_deeper

# Refuse a body with fields this many levels deep; our messages have far fewer.
_MOST_LEVELS = 32
# Digits of an accepted integer: more than a 64-bit number can have, fewer than Python refuses to convert.
_MOST_DIGITS = 40
# A field's name looks like words of letters, some with a number at the end. Keys and tokens are long, have digits
# between letters, or change case at random; _KEYS has the first characters of well-known ones.
_NAME = re.compile(r"[$_]?[A-Za-z]+[0-9]{0,4}(?:[_-][A-Za-z]+[0-9]{0,4}){0,5}")
_LONGEST_NAME = 40
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
_SHORTEST_WORD = 3
_KEYS = re.compile(r"(?:sk|pk|rk|whsec|cwk|gh[a-z]|xox[a-z]|pit)[_-]|AKIA|ASIA|EAA|eyJ|AIza")


class NotAnInteger:
    """A number with a fraction or an exponent, or with too many digits."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        """Keep the number as it was written: text."""
        self.text = text


def _refuse_constant(name: str) -> Never:
    raise MalformedBody(f"The body is not valid JSON: {name} is not a number")


def _unique_fields(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise MalformedBody("The body is ambiguous: it has a field twice")
    return fields


def _integer(digits: str) -> int | NotAnInteger:
    return int(digits) if len(digits) <= _MOST_DIGITS else NotAnInteger(digits)


def shown_name(name: str) -> str:
    """Return an unknown field's name for an error, or <unnamed> if it may be a secret sent in the place of a name."""
    return name if _looks_like_a_name(name) else "<unnamed>"


def _looks_like_a_name(name: str) -> bool:
    if len(name) > _LONGEST_NAME or not _NAME.fullmatch(name) or _KEYS.match(name):
        return False
    return len(name) <= 8 or all(_is_words(part) for part in re.split("[_$-]", name))


def _is_words(part: str) -> bool:
    """Return whether a part is in one case, at most 3 letters, or camelCase with words of 3 letters on average."""
    lengths = [len(word) for word in _WORD.findall(part)]
    one_case = part.islower() or part.isupper() or len(part) <= 3
    return one_case or (min(lengths) >= 2 and sum(lengths) >= _SHORTEST_WORD * len(lengths))


def parse_object(raw: bytes) -> dict[str, Any]:
    """Return the JSON object that the bytes contain.

    Integers are int. Numbers with a fraction or an exponent are NotAnInteger, so that no amount of money can be read
    from a rounded number.

    Raises:
        MalformedBody: not UTF-8, a byte order mark, not JSON, not an object, a field twice, NaN or Infinity, or nested
            32 levels deep or more.
    """
    try:
        value = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_unique_fields,
            parse_constant=_refuse_constant,
            parse_float=NotAnInteger,
            parse_int=_integer,
        )
    except UnicodeDecodeError as error:
        raise MalformedBody("The body is not UTF-8") from error
    except (ValueError, RecursionError) as error:
        raise MalformedBody from error
    if not isinstance(value, dict):
        raise MalformedBody("The body must be a JSON object")
    if is_deeper(value, _MOST_LEVELS):
        fewer = f"Send a body with fewer than {_MOST_LEVELS} levels of objects and lists."
        raise MalformedBody("The body is nested too deeply", action=fewer)
    return value
