"""Rules for the headers, paths and URLs of outbound requests."""

import re
from unicodedata import category, normalize
from urllib.parse import unquote_to_bytes, urlsplit

# A field name is a token: RFC 9110, 5.1 and 5.6.2.
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}")
# Headers the client sets itself: the target, the length, and the hop-by-hop headers (RFC 9110, 7.6.1).
_CLIENT_HEADERS = frozenset(
    """
    accept-encoding connection content-length expect host http2-settings keep-alive max-forwards proxy-authenticate
    proxy-authorization proxy-connection te trailer transfer-encoding upgrade via
    """.split()  # noqa: SIM905 - one quoted word per line would fill a page
)
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
# A query string as it may be sent: printable ASCII without #.
_QUERY = re.compile(r"[!-\"$-~]*")
# Spaces, control and format characters, and marks on the character before; letters that show nothing.
_UNSEEN = frozenset("CZM")
_BLANKS = frozenset("\u115f\u1160")
# Characters in more bytes than UTF-8 allows.
_OVERLONG = re.compile(rb"[\xc0\xc1][\x80-\xbf]|\xe0[\x80-\x9f]|\xf0[\x80-\x8f]|\xf8[\x80-\x87]|\xfc[\x80-\x83]")
# A path that is percent-encoded more often than this is meant to be misread.
_MOST_DECODED = 4


def header_fault(name: str) -> str | None:
    """Return why a caller must not set a header; None if it may.

    The text is the second half of a sentence; the caller puts the name before it.
    """
    if not _NAME.fullmatch(name):
        return "is not a header's name"
    # Some servers read an underscore as a dash.
    if name.lower().replace("_", "-") in _CLIENT_HEADERS:
        return "must not be set: it is the connection's own"
    return None


def path_fault(path: str) -> str | None:
    """Return why a path must not be appended to a base URL, as the second half of a sentence; None if it may.

    Args:
        path: percent-encoded as it is sent, without query.
    """
    if not path.startswith("/"):
        # Otherwise base_url + path could change the host.
        return "must begin with /"
    if not all("!" <= one <= "~" for one in path) or set(path) & set('\\@?#"<>^`{|}'):
        return "has a character that must be percent-encoded in a path"
    if _BROKEN_ESCAPE.search(path):
        return "has a % that is not followed by two hexadecimal digits"
    if "//" in path:
        return "has an empty segment"
    slashes = path.count("/")
    for times in range(_MOST_DECODED):
        # Servers decode once or twice, and some read full-width characters as the plain ones.
        fault = "has an encoded slash or backslash" if path.count("/") != slashes else _segments_fault(path)
        if fault is not None:
            return fault
        raw = unquote_to_bytes(path)
        decoded = raw.decode(errors="ignore")
        # Decoded once, a percent sign may stand before any letters: 100%added. Some servers decode %C0%AE to a dot.
        if decoded.encode() != raw and (times == 0 or _OVERLONG.search(raw)):
            return "has encoded bytes that are not UTF-8"
        # Character by character: the time of normalize grows with the square of the number of accents in a row.
        decoded = "".join(normalize("NFKC", one) for one in decoded)
        if decoded == path:
            return None
        path = decoded
    return "is percent-encoded too often"


def _segments_fault(path: str) -> str | None:
    """Return why a path that may be decoded must not be appended, as path_fault does."""
    if "\\" in path:
        return "has an encoded slash or backslash"
    if {".", ".."} & {_seen(segment.split(";", 1)[0]) for segment in path.split("/")}:
        return "must not have the segments . or .."
    if any(ord(one) < 0x20 or ord(one) == 0x7F for one in path):
        return "has an encoded control character"
    return None


def _seen(segment: str) -> str:
    """Return a segment without the characters that show nothing: servers strip some of them."""
    return "".join(one for one in segment if category(one)[0] not in _UNSEEN and one not in _BLANKS)


def query_fault(query: str) -> str | None:
    """Return why a query string must not be sent, as the second half of a sentence; None if it may.

    Args:
        query: as it is sent, without the question mark.
    """
    if not _QUERY.fullmatch(query):
        return "has a character that must be percent-encoded in a query"
    if _BROKEN_ESCAPE.search(query):
        return "has a % that is not followed by two hexadecimal digits"
    return None


def target_of(url: str) -> str:
    """Return what a request line has of a URL: path and query, unchanged."""
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def url_fault(url: str) -> str | None:
    """Return why a URL must not be called, as the second half of a sentence; None if it may."""
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
    fault = path_fault(parts.path) if parts.path else None
    if fault is not None:
        return f"has a path that {fault}"
    fault = query_fault(parts.query)
    return None if fault is None else f"has a query that {fault}"
