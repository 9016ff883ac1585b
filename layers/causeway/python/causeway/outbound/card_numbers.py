"""Numbers of payment cards in a text: found by their length, their beginning and their check digit (ISO/IEC 7812-1)."""

import re

# Digits of a card's number.
_LENGTHS = range(13, 20)
# Payment cards begin so. Most other numbers of this length begin with 1 or 7: times in milliseconds, ids of posts.
_BEGINNING = re.compile("[2-6]|8[12]|9792")
# Between groups of digits.
_SEPARATOR = r"(?:[ +\-]|%(?:20|2[Dd]))"
# Digits of an escaped character and of a fraction belong to no number; then groups of digits.
_DIGITS = re.compile(
    r"%(?:25)*[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}|[0-9]{1,12}\.[0-9]+"
    rf"|(?P<groups>[0-9]{{4,}}(?:{_SEPARATOR}[0-9]{{3,}})*)"
)
_PIECES = re.compile(rf"({_SEPARATOR})")
# The digits of the double of a digit, added up.
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def redacted(text: str, instead: str) -> str:
    """Return a text without the numbers of cards, whose groups may be separated by spaces or dashes.

    Args:
        text: to search.
        instead: stands in the place of each number.
    """
    return _DIGITS.sub(lambda found: _without_numbers(found, instead), text)


def _without_numbers(found: re.Match[str], instead: str) -> str:
    """The groups of digits without the card numbers that whole groups make up."""
    if found["groups"] is None:
        return found[0]
    pieces = _PIECES.split(found[0])
    kept, place = [], 0
    # Groups stand at the even places, separators between them.
    while place < len(pieces):
        end = _number_end(pieces, place)
        kept.append(pieces[place] if end is None else instead)
        kept += pieces[(end or place + 1) : (end or place + 1) + 1]
        place = (end or place + 1) + 1
    return "".join(kept)


def _number_end(pieces: list[str], begin: int) -> int | None:
    """The place after the last group of the card number that begins with a group; None: no card number does."""
    digits = ""
    for place in range(begin, len(pieces), 2):
        digits += pieces[place]
        if len(digits) >= _LENGTHS.stop:
            return None
        if len(digits) in _LENGTHS and _BEGINNING.match(digits) and _has_check_digit(digits):
            return place + 1
    return None


def _has_check_digit(digits: str) -> bool:
    total = sum(map(int, digits[-1::-2])) + sum(_DOUBLED[int(digit)] for digit in digits[-2::-2])
    return total % 10 == 0
