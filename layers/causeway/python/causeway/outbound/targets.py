"""What a request to the outside may not say: headers that are the connection's own, and paths that lead elsewhere."""

import re
from unicodedata import normalize
from urllib.parse import unquote, urlsplit

# A field name is a token: RFC 9110, 5.1 and 5.6.2.
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}")
# The client's own: where the request goes, where it ends, and what holds for one connection alone (RFC 9110, 7.6.1).
_OWN = frozenset(
    """
    accept-encoding connection content-length expect host http2-settings keep-alive max-forwards proxy-authenticate
    proxy-authorization proxy-connection te trailer transfer-encoding upgrade via
    """.split()  # noqa: SIM905 - quoted words would fill a page
)
# How often a path is decoded before it counts as one that is meant to be misread.
_MOST_DECODED = 4


def why_not_header(name: str) -> str | None:
    """Return why a header must not be set, for a sentence that begins with its name; None where it may."""
    if not _NAME.fullmatch(name):
        return "is not a header's name"
    # Some servers take an underscore for a dash.
    if name.lower().replace("_", "-") in _OWN:
        return "must not be set: it is the connection's own"
    return None


def why_not_path(path: str) -> str | None:
    """Return why a path must not be appended to a base URL, for a sentence that begins with "it"; None where it may.

    Args:
        path: encoded as it is to be sent, without query.
    """
    if not path.startswith("/"):
        return "must begin with /: it would go on with the host's name"
    if not all("!" <= one <= "~" for one in path) or set(path) & set('\\@?#"<>^`{|}'):
        return "has a character that must be percent-encoded in a path"
    if "//" in path:
        return "has an empty segment"
    slashes = path.count("/")
    for _ in range(_MOST_DECODED):
        # Servers decode once or twice, and some take full-width forms for the plain ones.
        if path.count("/") != slashes or "\\" in path:
            return "has an encoded slash or backslash"
        if {".", ".."} & {segment.split(";", 1)[0] for segment in path.split("/")}:
            return "leads out of itself by . or .."
        if any(ord(one) < 0x20 or ord(one) == 0x7F for one in path):
            return "has an encoded control character"
        decoded = normalize("NFKC", unquote(path))
        if decoded == path:
            return None
        path = decoded
    return "is percent-encoded too often"


def why_not_address(url: str) -> str | None:
    """Return why a base URL or a whole address must not be called, for a sentence that begins with it; None: it may."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "cannot be read as a URL"
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        return "has a port that is not a number from 1 to 65535"
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return "must begin with https:// or http:// and name a host"
    if {"@", "\\"} & set(parts.netloc):
        return "must not hold a user or password"
    wrong = why_not_path(parts.path) if parts.path else None
    return None if wrong is None else f"has a path that {wrong}"
