"""Base64url without padding (RFC 4648, 5), strict: each value has one spelling.

Python's decoder skips characters outside the alphabet, and ignores the unused bits of the last character: it decodes 16
spellings to the same 64 bytes.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode


def encode(raw: bytes) -> str:
    """Return these bytes as base64url."""
    return urlsafe_b64encode(raw).decode().rstrip("=")


def decode(text: str) -> bytes:
    """Return the bytes; raises ValueError for a text that encode does not write."""
    raw = urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4))
    if encode(raw) != text:
        raise ValueError("not base64url in its one spelling")
    return raw
