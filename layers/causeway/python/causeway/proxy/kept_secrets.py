"""A connection's secrets in its platform's answers: no caller reads a stored secret back (HUB 1)."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from html import escape, unescape
from urllib.parse import quote, quote_plus

from causeway.outbound import decompression
from causeway.outbound.redaction import Redactor, in_base64

# Bytes of a decompressed body that are searched: a few bytes may become gigabytes.
MOST_SEARCHED = 16 * 1024 * 1024
# Bytes that are searched at a time, for the sake of memory; and how many more, for a secret at the end of them.
_WINDOW = 1024 * 1024
_OVERLAP = 128 * 1024
# Characters of a secret that is searched: of two kinds, or of any kind. Any answer may have a PIN or a plain word.
_LEAST_MIXED = 10
_LEAST = 24
# Headers that the caller needs to read the answer.
_KEPT = frozenset(("accept-ranges", "content-encoding", "content-range", "content-type", "date"))
# A run of backslashes is one, escaped repeatedly, as in JSON within JSON.
_BACKSLASHES = re.compile(rb"\\+(?:u([0-9A-Fa-f]{4})|([\"/bfnrt]))?")
_LETTERS = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}
_PERCENT = re.compile(rb"(?:%[0-9A-Fa-f]{2})+")
_REFERENCE = re.compile(rb"&(?:#0{0,9}[0-9]{1,7};?|#[xX]0{0,9}[0-9A-Fa-f]{1,6};?|[A-Za-z][A-Za-z0-9]{1,31};?)")


def redacted(headers: Mapping[str, str], secrets: Iterable[str]) -> dict[str, str]:
    """Return the headers of an answer with the secrets in their values redacted, in any encoding.

    Args:
        headers: by name in lower case.
        secrets: that the call was made with; those that look like keys are redacted.
    """
    redactor = Redactor(filter(_looks_like_a_key, secrets))
    return {name: value if name in _KEPT else redactor.values(value) for name, value in headers.items()}


def holds(body: bytes, encoding: str, secrets: Iterable[str]) -> bool:
    """Return whether a body has one of the secrets: plain, or as JSON, URLs, HTML, base64 and hexadecimal write it.

    The time is linear in the length of the body.

    Args:
        body: as it arrived; the first MOST_SEARCHED bytes of it are searched, decompressed.
        encoding: the value of Content-Encoding; empty: none. A body in an unknown one is searched as it is.
        secrets: that the call was made with; those that look like keys are searched.
    """
    if not body:
        return False
    plain = decompression.beginning(body, encoding, MOST_SEARCHED) if encoding else body
    searched = body if plain is None else plain
    keys = set(filter(_looks_like_a_key, secrets))
    spellings = {spelling for key in keys for spelling in _spellings(key)}
    hexadecimals = {key.encode("utf-8", "surrogatepass").hex().encode() for key in keys}
    parts = (searched[begin : begin + _WINDOW + _OVERLAP] for begin in range(0, len(searched), _WINDOW))
    return any(
        _has(part.lower(), hexadecimals) or any(_has(reading, spellings) for reading in _readings(part))
        for part in parts
    )


def _has(text: bytes, wanted: Iterable[bytes]) -> bool:
    return any(one in text for one in wanted)


def _looks_like_a_key(secret: str) -> bool:
    kinds = {"letter" if one.isalpha() else "digit" if one.isdigit() else "other" for one in secret}
    return len(secret) >= (_LEAST_MIXED if len(kinds) > 1 else _LEAST)


def _readings(body: bytes) -> Iterator[bytes]:
    """Yield a body as it is, and without the escapes of JSON, HTML and URLs, also one within another."""
    from_json = _BACKSLASHES.sub(_unescaped, body)
    for text in {body, from_json}:
        from_html = _REFERENCE.sub(lambda found: _character(found[0]), text)
        for plain in {text, from_html}:
            yield from {plain, _PERCENT.sub(_bytes, plain), _PERCENT.sub(_bytes, plain.replace(b"+", b" "))}


def _unescaped(found: re.Match[bytes]) -> bytes:
    unit, letter = found.groups()
    if unit is not None:
        return chr(int(unit, 16)).encode("utf-8", "surrogatepass")
    return b"\\" if letter is None else _LETTERS.get(letter, letter)


def _bytes(found: re.Match[bytes]) -> bytes:
    return bytes.fromhex(found[0].replace(b"%", b"").decode())


@lru_cache(maxsize=4096)
def _character(reference: bytes) -> bytes:
    return unescape(reference.decode()).encode()


def _spellings(secret: str) -> Iterator[bytes]:
    raw = secret.encode("utf-8", "surrogatepass")
    yield raw
    for text in (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]):
        for escaped in (text, text.replace("/", "\\/")):
            yield escaped.encode("utf-8", "surrogatepass")
    for quoted in (quote(raw, safe=""), quote(raw), quote_plus(raw), escape(secret)):
        yield quoted.encode("utf-8", "surrogatepass")
    for form in in_base64(raw):
        yield form.encode()
        yield form.translate(str.maketrans("+/", "-_")).encode()
