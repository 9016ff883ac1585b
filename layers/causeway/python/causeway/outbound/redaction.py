"""Secrets taken out of what is logged: by the name they stand under, and by their value in any spelling."""

import base64
import re
from collections.abc import Iterable
from urllib.parse import unquote_plus, urlsplit, urlunsplit

from causeway.outbound.spellings import Spellings, merged

REDACTED = "[redacted]"
# Characters of a body that are kept, and that are searched beyond.
MOST_CHARACTERS = 4096
_MARGIN = 128

# Base64's other alphabet (RFC 4648, 5), and what may stand beside a piece of base64.
_BASE64_FOR_URLS = {"+": "-", "/": "_"}
_BASE64_BEFORE = re.compile(r"[\w+/\-]+\Z")
_BASE64_AFTER = re.compile(r"[\w+/\-]*={0,2}")

# Letters of a name that make what stands under it secret, wherever in the name they occur.
_PARTS = re.compile(
    "authorization|token|secret|passw|passphrase|passkey|pwd|credential|signature|cookie|jwt|assertion|accountpin"
    "|(?:api|access|auth|hash|license|private|shared|signing|encryption|account)key"
)
# Names that are secret only as a whole.
_WHOLE = frozenset(("auth", "bearer", "cvc", "cvv", "hmac", "key", "otp", "pass", "pin", "sig", "sign"))

_NAME = r"[\w.\-\[\]%]{1,80}"
# What stands before a value, with its name, and the value: JSON, also within a JSON string, where the quotes carry
# backslashes, and with an end that is missing; a form or query; XML; a header.
_PLACES = (
    (
        re.compile(rf"""(?P<quote>\\{{0,8}}["'])(?P<name>{_NAME})(?P=quote)\s*:\s*"""),
        re.compile(
            r"""(?P<open>\\{0,8}["'])(?:(?!(?P=open))(?:\\.|.))*+(?P=open)?|[\[{][^\]}]*[\]}]?|[^\s,}\]]+""", re.DOTALL
        ),
    ),
    (re.compile(rf"(?P<quote>)(?P<name>{_NAME})="), re.compile(r"""[^&\s"'<>]+""")),
    (re.compile(rf"(?P<quote>)<(?P<name>{_NAME})(?:\s[^<>]*)?>"), re.compile(r"[^<]+")),
    (re.compile(rf"(?P<quote>)^(?P<name>{_NAME}):[ \t]*", re.MULTILINE), re.compile(r"\S[^\r\n]*")),
)
_SCHEME = re.compile(r"\b(?P<scheme>bearer|basic)(?P<space>\s+)[\w.~+/=\-]{8,}", re.IGNORECASE)
_TEXT_TYPE = re.compile(r"^\s*(?:$|text/|application/(?:[\w.\-]+\+)?(?:json|xml|x-www-form-urlencoded|javascript))")


def is_secret_name(name: str) -> bool:
    """Return whether what stands under this name (of a header, field or parameter) is secret."""
    letters = re.sub("[^a-z0-9]", "", unquote_plus(name).lower())
    return letters in _WHOLE or _PARTS.search(letters) is not None


class Redactor:
    """Redacts texts; it holds the patterns of the secret values.

    secrets: found as they are, percent-encoded (once or more), JSON-escaped, HTML-escaped, mixtures of these, and
    base64-encoded alone or as a part of something longer.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        values = {secret for secret in secrets if secret}
        self._values = Spellings(values, {})
        self._encoded = Spellings({form for value in values for form in _encoded(value)}, _BASE64_FOR_URLS)

    def text(self, text: str, *, cut: bool = False) -> str:
        """Return the text without its secrets; cut: it goes on, and what may be the beginning of one is taken out."""
        text = self._without_values(text, cut=cut)
        for before, value in _PLACES:
            text = _without_named(text, before, value)
        return _SCHEME.sub(rf"\g<scheme>\g<space>{REDACTED}", text)

    def url(self, url: str) -> str:
        """Return the URL without user, password, fragment and secrets."""
        try:
            parts = urlsplit(url)
            bare = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, parts.query, ""))
        except ValueError:
            return "[unreadable URL]"
        return self.text(bare)

    def body(self, body: bytes, content_type: str = "") -> str:
        """Return the beginning of a body without its secrets, or its type and size if it is no text."""
        if not _TEXT_TYPE.match(content_type.lower()):
            return f"[{content_type.partition(';')[0].strip()}, {len(body)} bytes]"
        # More than is kept is searched, and dropped again: at its end a name or a scheme may be cut off its secret.
        searched = MOST_CHARACTERS + _MARGIN
        text = body[: 4 * searched].decode("utf-8", "replace")
        cut = len(text) > searched or len(body) > 4 * searched
        redacted = self.text(text[:searched], cut=cut)
        if cut:
            redacted = redacted[: max(0, len(redacted) - _MARGIN)]
        if not cut and len(redacted) <= MOST_CHARACTERS:
            return redacted
        return f"{redacted[:MOST_CHARACTERS]}... [{len(body)} bytes]"

    def _without_values(self, text: str, *, cut: bool) -> str:
        found = self._values.find(text, cut=cut)
        found += [_base64_around(text, *stretch) for stretch in self._encoded.find(text, cut=cut)]
        kept, place = [], 0
        for begin, end in merged(sorted(found)):
            kept += [text[place:begin], REDACTED]
            place = end
        return "".join((*kept, text[place:]))


def _base64_around(text: str, begin: int, end: int) -> tuple[int, int]:
    """A stretch of base64, and what stands beside it in the same groups: it may hold bits of it, or its like."""
    before = _BASE64_BEFORE.search(text, max(0, begin - 3), begin)
    after = _BASE64_AFTER.match(text, end)
    return (begin if before is None else before.start()), (end if after is None else after.end())


def _without_named(text: str, before: re.Pattern[str], value: re.Pattern[str]) -> str:
    """The text without the values of secret names; the values of others are searched for names of their own."""
    kept, place = [], 0
    for found in before.finditer(text):
        if found.start() < place or not is_secret_name(found["name"]):
            continue
        secret = value.match(text, found.end())
        if secret is not None:
            kept += [text[place : found.end()], found["quote"], REDACTED, found["quote"]]
            place = secret.end()
    return "".join((*kept, text[place:]))


def _encoded(value: str) -> list[str]:
    """The value in base64, at each of the three places a byte can take in a group."""
    raw = value.encode("utf-8", "surrogatepass")
    forms = []
    for shift, leading in enumerate((0, 2, 3)):
        encoded = base64.b64encode(bytes(shift) + raw).decode()
        # The first and last characters also depend on the neighbours.
        inner = encoded[leading:] if (shift + len(raw)) % 3 == 0 else encoded[leading:].rstrip("=")[:-1]
        if len(inner) >= 6:
            forms.append(inner)
    return forms
