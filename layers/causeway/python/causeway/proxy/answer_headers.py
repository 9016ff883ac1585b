"""The headers of a platform's answer that are passed on to the caller."""

import re
from collections.abc import Mapping

from causeway.outbound import waits

# Fields of one connection (RFC 9110, 7.6.1), and the length, which API Gateway counts itself.
_OF_CONNECTION = frozenset(
    """
    connection content-length keep-alive proxy-authenticate proxy-authentication-info proxy-connection te trailer
    transfer-encoding upgrade via
    """.split()  # noqa: SIM905 - one quoted word per line would fill a page
)
# A server or cache before the hub would act on them.
_OF_SERVERS = frozenset(
    """
    surrogate-control cdn-cache-control x-sendfile x-lighttpd-send-file x-reproxy-url x-reproxy-file
    """.split()  # noqa: SIM905
)
_SERVER_PREFIXES = ("x-accel-",)
_SERVER_SUFFIXES = ("-cdn-cache-control",)
# A browser would apply them to the hub's own host.
_OF_HOST = frozenset(
    """
    set-cookie set-cookie2 strict-transport-security public-key-pins expect-ct alt-svc clear-site-data nel report-to
    reporting-endpoints service-worker-allowed content-security-policy content-security-policy-report-only refresh
    origin-agent-cluster permissions-policy permissions-policy-report-only feature-policy document-policy
    document-policy-report-only x-content-type-options x-frame-options x-xss-protection x-dns-prefetch-control
    x-permitted-cross-domain-policies referrer-policy www-authenticate set-login speculation-rules
    supports-loading-mode activate-storage-access observe-browsing-topics no-vary-search timing-allow-origin accept-ch
    critical-ch sourcemap x-sourcemap
    """.split()  # noqa: SIM905
)
# Of the hub's own answers: a platform must not be able to write them.
_OURS = frozenset(("idempotent-replay", "apigw-requestid"))
_OUR_PREFIXES = ("x-causeway-", "access-control-", "cross-origin-", "x-amzn-", "x-amz-cf-")
# An answer is shown from the hub's host: no browser may run what stands in it, or take it for another type.
_SAFE = {"content-security-policy": "sandbox; default-src 'none'", "x-content-type-options": "nosniff"}

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]{1,256}")
# Directives by which a shared cache would keep an answer that one caller may see.
_SHARED = frozenset(("public", "private", "s-maxage"))
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
        if name not in named and not _ends_here(name) and _NAME.fullmatch(name) and text is not None:
            passed[name] = text
    if waits.retry_after(passed.get("retry-after", "")) is None:
        passed.pop("retry-after", None)
    return passed | _SAFE | {"cache-control": _private(passed.get("cache-control", ""))}


def _ends_here(name: str) -> bool:
    # Some servers read an underscore as a dash.
    plain = name.replace("_", "-")
    return (
        plain in _OF_CONNECTION | _OF_HOST | _OURS | _OF_SERVERS
        or plain.startswith(_OUR_PREFIXES + _SERVER_PREFIXES)
        or plain.endswith(_SERVER_SUFFIXES)
    )


def _private(control: str) -> str:
    """Return a Cache-Control for the caller's own cache only; control: the platform's."""
    directives = [one.strip() for one in control.split(",")]
    kept = [one for one in directives if one and one.partition("=")[0].strip().lower() not in _SHARED]
    return ", ".join(("private", *kept))


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
