"""The headers of a platform's answer that are passed on to the caller."""

import re
from collections.abc import Mapping

# Fields of one connection (RFC 9110, 7.6.1), and the length, which API Gateway counts itself.
_OF_CONNECTION = frozenset(
    """
    connection content-length keep-alive proxy-authenticate proxy-authentication-info proxy-connection te trailer
    transfer-encoding upgrade via
    """.split()  # noqa: SIM905 - one quoted word per line would fill a page
)
# A browser would apply them to the hub's own host.
_OF_HOST = frozenset(
    """
    set-cookie set-cookie2 strict-transport-security public-key-pins expect-ct alt-svc clear-site-data nel report-to
    reporting-endpoints service-worker-allowed content-security-policy content-security-policy-report-only refresh
    origin-agent-cluster permissions-policy feature-policy x-content-type-options x-frame-options
    """.split()  # noqa: SIM905
)
# Of the hub's own answers: a platform must not be able to write them.
_OURS = frozenset(("idempotent-replay", "apigw-requestid"))
_OUR_PREFIXES = ("x-causeway-", "access-control-", "x-amzn-", "x-amz-cf-")
# An answer is shown from the hub's host: no browser may run what stands in it, or take it for another type.
_SAFE = {"content-security-policy": "sandbox; default-src 'none'", "x-content-type-options": "nosniff"}

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]{1,256}")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def passed_on(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers to pass on, by name in lower case; repeated ones are joined by commas already.

    Args:
        headers: of the answer, as the HTTP client read them: bytes as Latin-1.
    """
    given = {name.lower(): value for name, value in headers.items()}
    named = {name.strip().lower() for name in given.get("connection", "").split(",")}
    passed = {}
    for name, value in given.items():
        text = _text(value)
        ends = name in _OF_CONNECTION or name in _OF_HOST or name in _OURS or name in named
        if not ends and not name.startswith(_OUR_PREFIXES) and _NAME.fullmatch(name) and text is not None:
            passed[name] = text
    return passed | _SAFE


def size(headers: Mapping[str, str]) -> int:
    """Return the bytes of headers."""
    return sum(len(name) + len(value.encode()) for name, value in headers.items())


def _text(value: str) -> str | None:
    """Return a value as API Gateway sends it byte for byte; None if it cannot be sent."""
    try:
        text = value.encode("latin-1").decode()
    except UnicodeError:
        return None
    return None if _CONTROL.search(text) else text
