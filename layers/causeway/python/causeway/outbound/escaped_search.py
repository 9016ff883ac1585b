"""Finds texts in a text, also if their characters are escaped as JSON, URLs, HTML or XML can escape them.

The time is linear in the length of the text, for any text and patterns: each position is visited once, and the progress
of all patterns there is one number, with a bit for each byte of the patterns (Shift-And: Baeza-Yates and Gonnet, "A new
approach to text searching", CACM 35(10), 1992). A regular expression with the same alternatives takes milliseconds to
compile for each character, and exponential time on a run of backslashes.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import reduce
from html.entities import html5
from operator import and_

# Characters of the longest escape of one character: HTML's longest name of a character.
LONGEST = 34

_BYTE = re.compile("[0-9A-Fa-f]{2}")
# How many times a percent sign may have been percent-encoded again.
_MOST_PERCENT = 3
_MOST_BACKSLASHES = 8
_UNIT = re.compile("u([0-9A-Fa-f]{4})")
# A byte, or the character with this number, in hexadecimal or octal; a character as JavaScript and Python escape it.
_SMALL = re.compile("x([0-9A-Fa-f]{2})")
# JavaScript reads two of the digits of \477, Python three, other languages always three or always one.
_OCTAL = re.compile("[0-7]{1,3}")
_WHOLE = re.compile(r"u\{0{0,6}([0-9A-Fa-f]{1,6})\}|U([0-9A-Fa-f]{8})")
# As JavaScript's escape() writes a UTF-16 unit.
_PERCENT_UNIT = re.compile("%u([0-9A-Fa-f]{4})")
_LOW_UNIT = re.compile(r"\\{1,8}u([Dd][C-Fc-f][0-9A-Fa-f]{2})")
# JSON's letters for control characters, and the escaped quote of JavaScript and Python.
_LETTERS = {"b": b"\b", "f": b"\f", "n": b"\n", "r": b"\r", "t": b"\t", '"': b'"', "'": b"'", "/": b"/"} | {
    # Letters that JavaScript, Python and YAML have besides.
    "a": b"\a",
    "e": b"\x1b",
    "v": b"\v",
}
# A character reference of HTML; browsers also accept one without the semicolon.
_REFERENCE = re.compile("&(?:#0{0,6}([0-9]{1,7});?|#[xX]0{0,6}([0-9A-Fa-f]{1,6});?|([A-Za-z][A-Za-z0-9]{1,31});?)")
# Names that HTML accepts without the semicolon, also where letters follow: &ampb is &b.
_BARE_NAMES = frozenset(name for name in html5 if not name.endswith(";"))
_LONGEST_BARE_NAME = max(map(len, _BARE_NAMES))
# The characters that an escape begins with.
_ESCAPES = "%\\&+"
# Follows each pattern; no text in UTF-8 has this byte.
_END = b"\xff"
# For each bit of a byte, the table that translates bytes into the digit of that bit.
_DIGITS = [bytes(b"01"[byte >> bit & 1] for byte in range(256)) for bit in range(8)]


class EscapedSearch:
    """Finds patterns in a text, each character of them plain or escaped in any way."""

    def __init__(self, patterns: Iterable[str], twins: Mapping[str, str], between: bytes = b"") -> None:
        """Prepare the search.

        Args:
            patterns: the texts to find; none is empty.
            twins: for a character of the patterns, another that counts as the same; both are ASCII.
            between: ASCII characters that are skipped within a pattern, in any number.
        """
        self._between = frozenset(bytes([one]) for one in between)
        known = list(patterns)
        self._first = frozenset(_ESCAPES).union(*({one[0], twins.get(one[0], one[0])} for one in known))
        # The patterns are laid out one after the other, each with an end mark. Bit n of a state: the next byte to find
        # is the byte at n. If that byte is the end mark, the whole pattern has been found.
        laid = b"".join(_bytes(pattern) + _END for pattern in known)
        self._where = _places(laid)
        self._ends = self._where.pop(_END[0], 0)
        self._begins = (self._ends << 1 | 1) ^ (1 << len(laid))
        for one, other in twins.items():
            self._where[ord(other)] = self._where.get(ord(other), 0) | self._where.get(ord(one), 0)

    def find(self, text: str, *, cut: bool = False) -> list[tuple[int, int]]:
        """Return the positions of the patterns, as (begin, end) pairs that do not overlap, in order.

        Args:
            text: to search.
            cut: the text is the beginning of a longer one; a pattern that has begun at its end counts as found.
        """
        if not self._begins:
            return []
        # The progress of the patterns at each position, and the steps that led there.
        states = [0] * (len(text) + 1)
        steps: list[tuple[int, bytes, int]] = []
        for place, character in enumerate(text):
            state = states[place]
            if not state and character not in self._first:
                continue
            for spelled, end in _readings(text, place):
                after = state | self._begins
                for byte in spelled:
                    after = (after & self._where.get(byte, 0)) << 1
                if after:
                    states[end] |= after
                    steps.append((place, spelled, end))
                if state and spelled in self._between:
                    states[end] |= state & ~self._ends
                    steps.append((place, b"", end))
        return self._covered(states, steps, len(text) - LONGEST if cut else len(text) + 1)

    def _covered(self, states: list[int], steps: list[tuple[int, bytes, int]], cut: int) -> list[tuple[int, int]]:
        """Trace the steps back from each pattern that was found; from position `cut` on, from each that had begun."""
        led = [state if place >= cut else state & self._ends for place, state in enumerate(states)]
        covered: list[tuple[int, int]] = []
        for place, spelled, end in reversed(steps):
            before = led[end]
            for byte in reversed(spelled):
                before = (before >> 1) & self._where[byte]
            before &= states[place] | self._begins
            if before:
                led[place] |= before
                covered.append((place, end))
        return merged(covered[::-1])


def _places(laid: bytes) -> dict[int, int]:
    """Return for each byte a number with a bit for each of its places.

    A byte stands where each of its 8 bits does. The places of a bit are found at once for all bytes; to set the bits of
    the places one by one takes ten times as long.
    """
    everywhere = (1 << len(laid)) - 1
    ones = [int(laid.translate(digits)[::-1] or b"0", 2) for digits in _DIGITS]
    halves = [(everywhere ^ one, one) for one in ones]
    return {byte: reduce(and_, (halves[bit][byte >> bit & 1] for bit in range(8))) for byte in set(laid)}


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def merged(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return ranges, given in the order of their begins, with overlapping and adjacent ranges merged."""
    whole: list[tuple[int, int]] = []
    for begin, end in ranges:
        if whole and begin <= whole[-1][1]:
            whole[-1] = whole[-1][0], max(whole[-1][1], end)
        else:
            whole.append((begin, end))
    return whole


def _readings(text: str, place: int) -> Iterator[tuple[bytes, int]]:
    """All readings of the characters at a position: the bytes in UTF-8, and where the escape ends."""
    character = text[place]
    yield _bytes(character), place + 1
    match character:
        case "+":
            yield b" ", place + 1
        case "%":
            yield from _percent(text, place)
        case "\\":
            yield from _backslashes(text, place)
        case "&":
            yield from _reference(text, place)


def _percent(text: str, place: int) -> Iterator[tuple[bytes, int]]:
    """A percent-encoded byte, its percent sign encoded again up to three times: %41, %2541; %2525 can be %25 before 25.

    Or a UTF-16 unit of JavaScript's escape(): %u0041.
    """
    unit = _PERCENT_UNIT.match(text, place)
    if unit is not None:
        high = int(unit[1], 16)
        yield _bytes(chr(high)), unit.end()
        low = _PERCENT_UNIT.match(text, unit.end()) if 0xD800 <= high < 0xDC00 else None
        if low is not None and 0xDC00 <= int(low[1], 16) < 0xE000:
            yield _bytes(chr(0x10000 + (high - 0xD800) * 0x400 + int(low[1], 16) - 0xDC00)), low.end()
    for end in range(place + 1, place + 2 + 2 * _MOST_PERCENT, 2):
        found = _BYTE.match(text, end)
        if found is None:
            return
        yield bytes.fromhex(found[0]), end + 2
        if found[0] != "25":
            return


def _backslashes(text: str, place: int) -> Iterator[tuple[bytes, int]]:
    run = text[place : place + _MOST_BACKSLASHES + 1]
    end = place + len(run) - len(run.lstrip("\\"))
    # A run of backslashes is one backslash, escaped repeatedly.
    yield from ((b"\\", shorter) for shorter in range(place + 2, end + 1))
    if end - place > _MOST_BACKSLASHES:
        return
    if text[end : end + 1] in _LETTERS:
        yield _LETTERS[text[end]], end + 1
    yield from _numbered(text, end)
    unit = _UNIT.match(text, end)
    if unit is not None:
        high = int(unit[1], 16)
        yield _bytes(chr(high)), unit.end()
        low = _LOW_UNIT.match(text, unit.end()) if 0xD800 <= high < 0xDC00 else None
        if low is not None:
            yield _bytes(chr(0x10000 + (high - 0xD800) * 0x400 + int(low[1], 16) - 0xDC00)), low.end()


def _numbered(text: str, place: int) -> Iterator[tuple[bytes, int]]:
    """What may follow a backslash: x41, 101, u{41}, U00000041."""
    small, octal, whole = (pattern.match(text, place) for pattern in (_SMALL, _OCTAL, _WHOLE))
    if small is not None:
        yield from _byte_or_character(int(small[1], 16), small.end())
    if octal is not None:
        for end in range(place + 1, octal.end() + 1):
            yield from _byte_or_character(int(text[place:end], 8), end)
    if whole is not None:
        yield from _character(int(whole[1] or whole[2], 16), whole.end())


def _byte_or_character(number: int, end: int) -> Iterator[tuple[bytes, int]]:
    yield _bytes(chr(number)), end
    if 0x80 <= number <= 0xFF:
        yield bytes([number]), end


def _reference(text: str, place: int) -> Iterator[tuple[bytes, int]]:
    found = _REFERENCE.match(text, place)
    if found is None:
        return
    decimal, hexadecimal, name = found.groups()
    if name is None:
        yield from _character(int(decimal) if decimal is not None else int(hexadecimal, 16), found.end())
        return
    if f"{name};" in html5:
        yield _bytes(html5[f"{name};"]), found.end()
    for length in range(1, min(len(name) - 1, _LONGEST_BARE_NAME) + 1):
        if name[:length] in _BARE_NAMES:
            yield _bytes(html5[name[:length]]), place + 1 + length


def _character(number: int, end: int) -> Iterator[tuple[bytes, int]]:
    if number < 0x110000:
        yield _bytes(chr(number)), end
