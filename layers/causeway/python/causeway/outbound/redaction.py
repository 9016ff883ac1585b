"""Secrets taken out of what is logged: by the name they stand under, and by their value in any spelling."""

import base64
import re
from collections.abc import Iterable
from urllib.parse import unquote_plus, urlsplit, urlunsplit

REDACTED = "[redacted]"
# Characters of a body that are kept.
MOST_CHARACTERS = 4096

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


# JSON's letters for control characters.
_LETTERS = {"\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t"}
# HTML's and XML's names for what they cannot show.
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;"}


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
        values = sorted({secret for secret in secrets if secret}, key=len, reverse=True)
        forms = [form for value in values for form in (_spelled(value), *_encoded(value))]
        self._values = re.compile("|".join(forms), re.DOTALL) if forms else None
        # Characters that one secret can take up: 16 for a byte is more than any of the spellings has.
        self._margin = 16 * max((len(value.encode("utf-8", "surrogatepass")) for value in values), default=0)

    def text(self, text: str) -> str:
        """Return the text without its secrets."""
        if self._values is not None:
            text = self._values.sub(REDACTED, text)
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
        # More than is kept is searched, so that no secret is cut in two before it is recognised; what is then
        # left of one at the end of the searched part is dropped with the margin.
        searched = MOST_CHARACTERS + 2 * self._margin
        text = body[: 4 * searched].decode("utf-8", "replace")
        cut = len(text) > searched or len(body) > 4 * searched
        redacted = self.text(text[:searched])
        if cut:
            redacted = redacted[: max(0, len(redacted) - self._margin)]
        if not cut and len(redacted) <= MOST_CHARACTERS:
            return redacted
        return f"{redacted[:MOST_CHARACTERS]}... [{len(body)} bytes]"


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


def _spelled(value: str) -> str:
    """A pattern for the value with each character written in any of the ways that JSON, URLs and HTML have.

    Repetitions have an end: a platform that answers a million backslashes must not keep the search busy.
    """
    return "".join(_character(character) for character in value)


def _character(character: str) -> str:
    # Nothing escapes these, and most of a long key is made of them.
    if character.isascii() and character.isalnum():
        return character
    forms = [re.escape(character)]
    forms.append("".join(f"%(?:25){{0,3}}(?i:{byte:02x})" for byte in character.encode("utf-8", "surrogatepass")))
    forms.append("".join(rf"\\{{1,8}}u(?i:{unit:04x})" for unit in _utf16(character)))
    forms.append(rf"&#(?:0{{0,6}}{ord(character)}|x0{{0,6}}(?i:{ord(character):x}));")
    if character in _ENTITIES:
        forms.append(_ENTITIES[character])
    if character in '"\\/':
        forms.append(rf"\\{{1,8}}{re.escape(character)}")
    if character in _LETTERS:
        forms.append(rf"\\{{1,8}}{_LETTERS[character]}")
    if character == " ":
        forms.append(r"\+")
    return f"(?:{'|'.join(forms)})"


def _utf16(character: str) -> list[int]:
    units = character.encode("utf-16-be", "surrogatepass")
    return [int.from_bytes(units[place : place + 2]) for place in range(0, len(units), 2)]


def _encoded(value: str) -> list[str]:
    """Patterns for the value in base64, at each of the three places a byte can take in a group."""
    raw = value.encode("utf-8", "surrogatepass")
    patterns = []
    for shift, leading in enumerate((0, 2, 3)):
        encoded = base64.b64encode(bytes(shift) + raw).decode()
        # The first and last characters also depend on the neighbours.
        inner = encoded[leading:] if (shift + len(raw)) % 3 == 0 else encoded[leading:].rstrip("=")[:-1]
        if len(inner) >= 6:
            spelled = "".join(_base64_character(character) for character in inner)
            patterns.append(rf"[\w+/\-]{{0,3}}{spelled}[\w+/\-]*={{0,2}}")
    return patterns


def _base64_character(character: str) -> str:
    match character:
        case "+":
            return r"(?:[+\-]|%2[bB])"
        case "/":
            return r"(?:\\{0,8}/|_|%2[fF])"
        case _:
            return character
