"""The headers of a proxied request: which are passed to the platform, which are refused, and which are our own."""

import re
from collections.abc import Iterable, Mapping

from causeway.catalogue.document_rules import FIELD_REFERENCE
from causeway.catalogue.providers import Provider
from causeway.errors.proxy import HeaderNotAllowed
from causeway.outbound.request_rules import header_fault
from causeway.platforms.account import Account

# The hub authenticates the call, a cookie would be another user's, and the others make the platform see another caller,
# host or method than the hub's.
_NOT_PASSED = frozenset(
    """
    authorization cookie cookie2 set-cookie set-cookie2 forwarded x-forwarded-for x-forwarded-host x-forwarded-port
    x-forwarded-proto x-forwarded-prefix x-forwarded-server x-real-ip x-original-url x-rewrite-url x-original-host
    x-http-method x-http-method-override x-method-override
    """.split()  # noqa: SIM905 - one quoted word per line would fill a page
)
# Headers that a caller's own call of the hub has: they are the hub's, or the connection's to it, and end here.
_ENDS_HERE = _NOT_PASSED | frozenset(
    """
    accept-encoding connection content-length expect host http2-settings keep-alive max-forwards proxy-authorization
    proxy-connection te trailer transfer-encoding upgrade via x-api-key x-tenant-id idempotency-key x-amzn-trace-id
    """.split()  # noqa: SIM905
)
_VALUE = re.compile(r"[\x20-\x7e\t]*")
# Encodings that the log can read; an answer passes through as it is encoded.
_ENCODINGS = frozenset(("gzip", "x-gzip", "deflate", "br", "identity"))
_LONGEST_VALUE = 8192


def passed_on(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers of a call of the REST form that are meant for the platform.

    Args:
        headers: of the call, by name in lower case.
    """
    named = {name.strip().lower() for name in headers.get("connection", "").split(",")}
    return {name: value for name, value in headers.items() if name not in _ENDS_HERE and name not in named}


def check(headers: Mapping[str, str]) -> None:
    """Raise HeaderNotAllowed for a header that no platform gets."""
    seen: set[str] = set()
    for name, value in headers.items():
        fault = header_fault(name)
        if fault is not None:
            raise HeaderNotAllowed(f"{_shown(name)} {fault}")
        if _plain(name) in _NOT_PASSED or _plain(name).startswith("proxy-"):
            raise HeaderNotAllowed(f"The header {name} is not passed to the platform")
        if not _VALUE.fullmatch(value) or value != value.strip() or len(value) > _LONGEST_VALUE:
            raise HeaderNotAllowed(
                f"The value of the header {name} must be printable ASCII, {_LONGEST_VALUE} characters at most, without "
                "spaces around it",
                action="Correct the value; a line break in it would be another header.",
            )
        if _plain(name) in seen:
            raise HeaderNotAllowed(
                f"The header {name} is there twice", action="Send it once, its values with commas between them."
            )
        seen.add(_plain(name))


def check_credentials(headers: Iterable[str], query: Iterable[str], provider: Provider) -> None:
    """Raise HeaderNotAllowed if a header or a parameter is one in which a field of the connection stands.

    Args:
        headers: the names of the request's headers.
        query: the names of its parameters.
        provider: the connection's platform.
    """
    kind = provider.authentication.get("type")
    where = provider.authentication.get("header" if kind == "hmac" else "name", "")
    if kind == "query" and where.lower() in {name.lower() for name in query}:
        raise HeaderNotAllowed(f"The parameter {where} is the platform's credential, which the hub sends")
    ours = {_plain(name) for name, value in _of_every_call(provider).items() if FIELD_REFERENCE.search(value)}
    ours |= {_plain(where)} if kind in ("header", "hmac") else set()
    for name in headers:
        if _plain(name) in ours:
            raise HeaderNotAllowed(f"The header {name} is the connection's own, which the hub sends")


def of_platform(account: Account, given: Iterable[str]) -> dict[str, str]:
    """Return the headers that the platform's calls have and the caller does not set, such as the API's version.

    Args:
        account: whose fields fill them; a header whose field it lacks is left out.
        given: the names of the headers that the caller sets.
    """
    set_already = {_plain(name) for name in given}
    return {
        name: account.filled(value)
        for name, value in ({"Accept": "*/*"} | _of_every_call(account.provider)).items()
        if _plain(name) not in set_already and account.has_fields(value)
    }


def _of_every_call(provider: Provider) -> dict[str, str]:
    """Return the headers of the test call: what a platform asks for beside the authentication, it asks for always."""
    return dict(provider.health_call.get("headers", {}))


def accepted_encodings(asked: str) -> str:
    """Return the Accept-Encoding for the platform: of what the caller accepts, the encodings that the log can read.

    Args:
        asked: the caller's Accept-Encoding; empty: none.
    """
    ranges = [one.strip() for one in asked.lower().split(",")]
    known = [one for one in ranges if one.partition(";")[0].strip() in _ENCODINGS and _VALUE.fullmatch(one)]
    return ", ".join(known)[:_LONGEST_VALUE] or "identity"


def _plain(name: str) -> str:
    """Return a name as the servers read it that take an underscore for a dash."""
    return name.lower().replace("_", "-")


def _shown(name: str) -> str:
    return f"The header {name}" if header_fault(name) != "is not a header's name" else "The name of a header"
