"""A connection's secrets in its platform's answers: no caller reads a stored secret back (HUB 1)."""

import json
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from urllib.parse import quote, quote_plus

from causeway.outbound import decompression
from causeway.outbound.redaction import Redactor, in_base64

# Bytes of a decompressed body that are searched: a few bytes may become gigabytes.
MOST_SEARCHED = 16 * 1024 * 1024
# Characters of a secret that is searched: of two kinds, or of any kind. Any answer may have a PIN or a plain word.
_LEAST_MIXED = 10
_LEAST = 24
# Headers that the caller needs to read the answer.
_KEPT = frozenset(("accept-ranges", "content-encoding", "content-range", "content-type", "date"))


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

    Args:
        body: as it arrived; the first MOST_SEARCHED bytes of it are searched, decompressed.
        encoding: the value of Content-Encoding; empty: none. A body in an unknown one is searched as it is.
        secrets: that the call was made with; those that look like keys are searched.
    """
    if not body:
        return False
    plain = decompression.beginning(body, encoding, MOST_SEARCHED) if encoding else body
    searched = body if plain is None else plain
    return any(_is_in(searched, secret) for secret in set(filter(_looks_like_a_key, secrets)))


def _looks_like_a_key(secret: str) -> bool:
    kinds = {"letter" if one.isalpha() else "digit" if one.isdigit() else "other" for one in secret}
    return len(secret) >= (_LEAST_MIXED if len(kinds) > 1 else _LEAST)


def _is_in(body: bytes, secret: str) -> bool:
    return any(spelling in body for spelling in set(_spellings(secret)))


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
    yield raw.hex().encode()
