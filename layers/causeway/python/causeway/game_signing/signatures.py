"""Signatures of the calls between casino and game provider: HMAC-SHA256, in two forms.

Bare: the hex digest of the body. Timed: `t=<unix seconds>,v1=<hex digest of t.METHOD.path.body>`, which cannot be
replayed later or on another path.
"""

import hmac
import re
from collections.abc import Sequence
from hashlib import sha256

# Seconds that the time of a signature may differ from our clock.
TOLERANCE = 300

_DIGEST = re.compile(r"[0-9a-fA-F]{64}")
_TIMED = re.compile(r"t=([0-9]{1,12})((?:,v1=[0-9a-fA-F]{64}){1,4})")


def _digest(secret: str, message: bytes) -> str:
    return hmac.new(secret.encode(), message, sha256).hexdigest()


def _timed_message(time: str, method: str, path: str, body: bytes) -> bytes:
    return f"{time}.{method}.{path}.".encode() + body


def sign_bare(secret: str, body: bytes) -> str:
    """Return the bare signature of a body: 64 hex digits."""
    return _digest(secret, body)


def sign_timed(secret: str, method: str, path: str, body: bytes, now: float) -> str:
    """Return the timed signature of a call; now in Unix seconds."""
    time = str(int(now))
    return f"t={time},v1={_digest(secret, _timed_message(time, method, path, body))}"


def is_bare(signature: str) -> bool:
    """Return whether a signature has the bare form."""
    return not signature.startswith("t=")


def verify(signature: str, secrets: Sequence[str], method: str, path: str, body: bytes, now: float) -> bool:
    """Return whether a signature header, in either form, was made for this call with one of the secrets.

    Digests are compared in constant time. A malformed header is False, never an error.

    Args:
        signature: the header as received, '' where it is missing.
        secrets: the current secret, and the one before it during a rotation.
        method: the request's method, upper case.
        path: the request's path as API Gateway delivers it: decoded, without the query.
        body: the raw bytes received.
        now: Unix seconds.
    """
    if is_bare(signature):
        given, message = [signature], body
        if not _DIGEST.fullmatch(signature):
            return False
    else:
        timed = _TIMED.fullmatch(signature)
        if not timed or abs(now - int(timed[1])) > TOLERANCE:
            return False
        given, message = _DIGEST.findall(timed[2]), _timed_message(timed[1], method, path, body)
    expected = [_digest(secret, message) for secret in secrets]
    fits = [hmac.compare_digest(e, g.lower()) for e in expected for g in given]
    return any(fits)
