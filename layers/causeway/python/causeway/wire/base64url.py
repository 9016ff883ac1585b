"""Base64url without padding (RFC 4648, 5), of which a value has one spelling.

Python's decoder skips characters that are none of the alphabet, and ignores the unused bits of the last one: of 64
bytes there are 16 spellings.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode


def encode(raw: bytes) -> str:
    """Return the spelling of these bytes."""
    return urlsafe_b64encode(raw).decode().rstrip("=")


def decode(text: str) -> bytes:
    """Return the bytes; raises ValueError where the text is not what encode makes of them."""
    raw = urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4))
    if encode(raw) != text:
        raise ValueError("not base64url in its one spelling")
    return raw
