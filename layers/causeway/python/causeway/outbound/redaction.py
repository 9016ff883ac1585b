"""Redacts secrets from what is logged: by the name before a value, and by the value itself, in any encoding."""

import base64
import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, getincrementaldecoder
from collections.abc import Callable, Iterable
from functools import partial
from urllib.parse import unquote_plus, urlsplit, urlunsplit

from causeway.outbound import card_numbers
from causeway.outbound.escaped_search import EscapedSearch, merged

REDACTED = "[redacted]"
# Characters of a body that are kept; and how many more are searched.
MOST_CHARACTERS = 4096
_MARGIN = 128
# Characters of a Content-Type header that is accepted.
_MOST_OF_A_TYPE = 256

# Base64's URL-safe alphabet (RFC 4648, 5), and the other case of hexadecimal digits.
_TWINS = {"+": "-", "/": "_"} | {digit: digit.upper() for digit in "abcdef"}
# Characters with which encoders fold long lines or separate hexadecimal bytes.
_BETWEEN = b"\r\n\t :-,"
_BASE64_BEFORE = re.compile(r"[\w+/\-]+\Z")
_BASE64_AFTER = re.compile(r"[\w+/\-]*(?:[\r\n\t ]{0,4}={1,2})?")

# A name that contains one of these parts is the name of a secret.
_PARTS = re.compile(
    "authorization|token|secret|passw|passphrase|passkey|pwd|credential|signature|cookie|jwt|assertion|accountpin|cvc|cvv"
    "|(?:api|access|auth|hash|license|private|shared|signing|encryption|account)key"
)
# Names of secrets only as a whole name, or as a whole part of one: card[pin], user.pass.
_WHOLE = frozenset(("auth", "bearer", "hmac", "key", "otp", "pass", "pin", "sig", "sign"))
_BETWEEN_PARTS = re.compile(r"[^\w\-]+")
# Not secret: a connection may show its own. But they are not logged.
_PRIVATE = re.compile("accountnumber|cardnumber|iban$")
# A character that JSON escapes, also in JSON inside JSON.
_ESCAPED = re.compile(r"\\+u([0-9A-Fa-f]{4})")
# How often a name may be percent-encoded.
_MOST_PERCENT = 3

_NAME = r"[\w.\-\[\]%\\]{1,80}+"
# A name before its value: in JSON, also inside a JSON string, where the quotes are escaped.
_IN_JSON = re.compile(r"""(?P<quote>\\{0,8}["'])(?P<name>[^"',{}\x00-\x1f]{1,80})(?<!\\)(?P=quote)\s*:\s*""")
# A name before its quoted value: an attribute of XML.
_IN_ATTRIBUTE = re.compile(rf"""(?P<name>{_NAME})\s{{0,9}}+=\s{{0,9}}+(?=(?P<quote>\\{{0,8}}["']))""")
# A name before its value in a form or query, in XML, in a header; and the value.
_PLACES = (
    (re.compile(rf"(?P<quote>)(?P<name>{_NAME})=(?!\\{{1,8}}[\"'])"), re.compile(r"""[^&\s"'<>]+""")),
    (
        re.compile(r"(?P<quote>)<(?P<name>[\w.\-:]{1,80})(?:\s[^<>]*)?>"),
        re.compile(r"(?:[^<]+|<!\[CDATA\[(?:[^\]]|\](?!\]>))*(?:\]\]>|\Z))+"),
    ),
    (re.compile(rf"(?P<quote>)^(?P<name>{_NAME}):[ \t]*", re.MULTILINE), re.compile(r"\S[^\r\n]*")),
)
# In JSON: the beginning or end of a string, list or object; the end of a string; any other value.
_BOUND = re.compile(r"""(?<!\\)(?P<slashes>\\{0,8})(?P<quote>["'])|[\[{\]}]""")
_CLOSING = {quote: re.compile(rf"(?<!\\)(\\*+){quote}") for quote in "\"'"}
_BARE = re.compile(r"[^\s,}\]]+")
_SCHEME = re.compile(r"\b(?P<scheme>bearer|basic)(?P<space>\s+)[\w.~+/=\-]{8,}", re.IGNORECASE)
_TEXT_TYPE = re.compile(r"\s*(?:\Z|;|text/|application/(?:[\w.\-]+\+)?(?:json|xml|x-www-form-urlencoded|javascript))")
# Type and subtype (RFC 6838, 4.2), followed only by parameters.
_MEDIA_TYPE = re.compile(r"\s*([A-Za-z0-9][\w!#$&^.+\-]{0,63}/[A-Za-z0-9][\w!#$&^.+\-]{0,63})\s*(?:;|\Z)", re.ASCII)
_CHARSET = re.compile(r"""charset\s*=\s*["']?([^\s"';,]*)""")
# Character sets in which an ASCII byte is always that ASCII character; and Python's codec for each.
_LIKE_ASCII = {"utf-8": "utf-8", "utf8": "utf-8", "us-ascii": "ascii", "ascii": "ascii", "iso-8859-1": "cp1252"} | {
    "latin1": "cp1252",
    "iso-8859-15": "iso-8859-15",
    "windows-1252": "cp1252",
}
# The byte order marks of UTF-16 and UTF-32, and control bytes. ASCII in UTF-16 has NUL as every second byte.
_WIDE_MARKS = (BOM_UTF16_BE, BOM_UTF16_LE)
_NOT_TEXT = re.compile(rb"[\x00-\x08\x0b\x0e-\x1f\x7f]")


def is_secret_name(name: str) -> bool:
    """Return whether a value of this name (of a header, field or parameter) is secret.

    The name may be percent-encoded or escaped as in JSON. Each part of a bracketed, dotted or prefixed name counts.
    """
    words = _decoded(name).lower()
    parts = {_letters(part) for part in (words, *_BETWEEN_PARTS.split(words))}
    return not parts.isdisjoint(_WHOLE) or _PARTS.search(_letters(words)) is not None


def _is_hidden_name(name: str) -> bool:
    """Return whether a value of this name is not logged."""
    return is_secret_name(name) or _PRIVATE.search(_letters(_decoded(name).lower())) is not None


def _letters(words: str) -> str:
    return re.sub("[^a-z0-9]", "", words)


def _decoded(name: str) -> str:
    if "\\" in name:
        name = _ESCAPED.sub(lambda unit: chr(int(unit[1], 16)), name)
    for _ in range(_MOST_PERCENT if "%" in name else 0):
        name = unquote_plus(name)
    return name


def _read(beginning: bytes, content_type: str, *, cut: bool) -> str | None:
    """The beginning of a body as text, None if its type is not a text or its bytes are not in its character set.

    A body decoded with the wrong character set may hold a secret that is not found.
    """
    lowered = content_type[:_MOST_OF_A_TYPE].lower()
    codecs = {_LIKE_ASCII.get(charset) for charset in _CHARSET.findall(lowered)} or {"utf-8"}
    if len(content_type) > _MOST_OF_A_TYPE or not _TEXT_TYPE.match(lowered) or len(codecs) > 1:
        return None
    codec = codecs.pop()
    if codec is None or beginning.startswith(_WIDE_MARKS) or _NOT_TEXT.search(beginning):
        return None
    try:
        return getincrementaldecoder(codec)().decode(beginning.removeprefix(BOM_UTF8), final=not cut)
    except UnicodeDecodeError:
        return None


class Redactor:
    """Redacts texts. It holds the patterns of the secret values.

    Args:
        secrets: found in plain text, percent-encoded (once or more), JSON-escaped, HTML-escaped, in mixtures of
            these, in hexadecimal, in base64 (alone or as a part of a longer text, also folded), and all these in
            UTF-16 (as base64: UTF-7). Not found: secrets that are compressed, encrypted, hashed, split, or in
            base32 and other encodings.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        values = {secret for secret in secrets if secret}
        self._values = EscapedSearch(values.union(*map(_shown_wide, values)), {})
        plain = {value.encode("utf-8", "surrogatepass") for value in values}
        forms = {form for raw in plain.union(*map(_wide, values)) for form in in_base64(raw)}
        forms |= {raw.hex() for raw in plain if len(raw) > 2}
        self._encoded = EscapedSearch(forms, _TWINS, _BETWEEN)

    def text(self, text: str, *, cut: bool = False) -> str:
        """Return the text without its secrets. cut: the text goes on; redact a possible beginning of a secret too."""
        text = self._without_values(text, cut=cut)
        for before in (_IN_JSON, _IN_ATTRIBUTE):
            text = _without_named(text, before, _json_end)
        for before, value in _PLACES:
            text = _without_named(text, before, partial(_end, value))
        return _SCHEME.sub(rf"\g<scheme>\g<space>{REDACTED}", text)

    def values(self, text: str) -> str:
        """Return the text without the secret values; what stands after the name of a secret stays."""
        return self._without_values(text, cut=False)

    def url(self, url: str) -> str:
        """Return the URL without user, password, fragment, secrets and card numbers."""
        try:
            parts = urlsplit(url)
            bare = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, parts.query, ""))
        except ValueError:
            return "[unreadable URL]"
        return card_numbers.redacted(self.text(bare), REDACTED)

    def body(self, body: bytes, content_type: str = "") -> str:
        """Return the beginning of a body without secrets and card numbers, or its type and size if it is not decoded.

        Only UTF-8 and character sets that extend ASCII are decoded. In UTF-16, UTF-32 and others a secret's name would
        not be found, and a declared character set may be wrong.

        Args:
            body: as sent or received.
            content_type: the header's value; not trusted.
        """
        # Search more than is kept, and drop the rest: at the cut a name may be separated from its secret.
        searched = MOST_CHARACTERS + _MARGIN
        beginning = body[: 4 * searched]
        text = _read(beginning, content_type, cut=len(body) > len(beginning))
        if text is None:
            return f"[{self._media_type(content_type)}, {len(body)} bytes]"
        cut = len(text) > searched or len(body) > 4 * searched
        redacted = card_numbers.redacted(self.text(text[:searched], cut=cut), REDACTED)
        if cut:
            redacted = redacted[: max(0, len(redacted) - _MARGIN)]
        if not cut and len(redacted) <= MOST_CHARACTERS:
            return redacted
        return f"{redacted[:MOST_CHARACTERS]}... [{len(body)} bytes]"

    def _media_type(self, content_type: str) -> str:
        """Return a body's media type, to log in place of the body. The header is not trusted: redact it too."""
        found = _MEDIA_TYPE.match(content_type)
        return "of an unknown type" if found is None else self.text(found[1])

    def _without_values(self, text: str, *, cut: bool) -> str:
        found = self._values.find(text, cut=cut)
        found += [_base64_around(text, *stretch) for stretch in self._encoded.find(text, cut=cut)]
        kept, place = [], 0
        for begin, end in merged(sorted(found)):
            kept += [text[place:begin], REDACTED]
            place = end
        return "".join((*kept, text[place:]))


def _base64_around(text: str, begin: int, end: int) -> tuple[int, int]:
    """A range of base64, extended to whole groups of four: the neighbours may hold bits of the secret."""
    before = _BASE64_BEFORE.search(text, max(0, begin - 3), begin)
    after = _BASE64_AFTER.match(text, end)
    return (begin if before is None else before.start()), (end if after is None else after.end())


def _without_named(text: str, before: re.Pattern[str], value_end: Callable[[str, int], int]) -> str:
    """The text without the values of secret names. Values of other names are searched for names inside them."""
    kept, place = [], 0
    for found in before.finditer(text):
        if found.start() < place or not _is_hidden_name(found["name"]):
            continue
        end = value_end(text, found.end())
        if end > found.end():
            kept += [text[place : found.end()], found["quote"], REDACTED, found["quote"]]
            place = end
    return "".join((*kept, text[place:]))


def _end(value: re.Pattern[str], text: str, begin: int) -> int:
    found = value.match(text, begin)
    return begin if found is None else found.end()


def _json_end(text: str, begin: int) -> int:
    """The end of the JSON value that begins here; `begin` itself if no value begins here."""
    depth, place = 0, begin
    while bound := _BOUND.search(text, place) if depth else _BOUND.match(text, place):
        place = bound.end()
        if bound["quote"]:
            place = _string_end(text, bound)
        else:
            depth += 1 if bound[0] in "[{" else -1
        if depth <= 0:
            return place if depth == 0 else begin
    return len(text) if depth else _end(_BARE, text, begin)


def _string_end(text: str, opening: re.Match[str]) -> int:
    """The end of a JSON string: a quote with as many backslashes as the opening quote, after pairs of escaped ones."""
    slashes = len(opening["slashes"])
    for closing in _CLOSING[opening["quote"]].finditer(text, opening.end()):
        if len(closing[1]) % (2 * slashes + 2) == slashes:
            return closing.end()
    return len(text)


def _wide(value: str) -> set[bytes]:
    """The value in UTF-16, little and big endian; one form if both share the bytes, as ASCII does."""
    little, big = (value.encode(codec, "surrogatepass") for codec in ("utf-16-le", "utf-16-be"))
    return {little[:-1]} if little[:-1] == big[1:] else {little, big}


def _shown_wide(value: str) -> set[str]:
    """The forms of the value in UTF-16 that are valid UTF-8 text, as in some scripts."""
    texts = {raw.decode("utf-8", "replace") for raw in _wide(value) if not _NOT_TEXT.search(raw)}
    return {text for text in texts if "\ufffd" not in text}


def in_base64(raw: bytes) -> list[str]:
    """Return the bytes in base64, at each of the three positions in a group of three bytes."""
    forms = []
    for shift, leading in enumerate((0, 2, 3)):
        encoded = base64.b64encode(bytes(shift) + raw).decode()
        # Drop the first and last characters: they also depend on the neighbouring bytes.
        inner = encoded[leading:] if (shift + len(raw)) % 3 == 0 else encoded[leading:].rstrip("=")[:-1]
        if len(inner) >= 6:
            forms.append(inner)
    return forms
