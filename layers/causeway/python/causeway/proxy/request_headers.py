"""The headers of a proxied request: which are passed to the platform, which are refused, and which are our own."""

import re
from collections.abc import Iterable, Mapping

from causeway.catalogue.document_rules import FIELD_REFERENCE
from causeway.catalogue.providers import Provider
from causeway.errors.proxy import HeaderNotAllowed
from causeway.outbound.request_rules import header_fault
from causeway.platforms.account import Account

# Not passed to a platform. The hub authenticates the call. A cookie belongs to a user. The other headers name a caller,
# a host, a path or a method, which a platform may believe instead of those of the call.
_NOT_PASSED = frozenset(
    """
    authorization cookie cookie2 set-cookie set-cookie2 forwarded x-forwarded x-real-ip x-client-ip x-cluster-client-ip
    x-remote-ip x-remote-addr x-remote-user x-azure-clientip x-azure-socketip x-appengine-user-ip client-ip remote-addr
    true-client-ip fastly-client-ip fly-client-ip cf-connecting-ip cf-connecting-ipv6 cf-pseudo-ipv4 wl-proxy-client-ip
    x-host x-rewrite-url x-http-host-override x-http-method x-http-method-override x-method-override
    """.split()  # noqa: SIM905 - one quoted word per line would fill a page
)
_NOT_PASSED_PREFIXES = ("x-forwarded-", "x-original-", "x-envoy-", "proxy-")
# Headers of a call to the hub which are for the hub, or for the network before it.
_ENDS_HERE = frozenset(
    """
    accept-encoding connection content-length expect host http2-settings keep-alive max-forwards proxy-authorization
    proxy-connection te trailer transfer-encoding upgrade via x-api-key x-tenant-id idempotency-key x-amzn-trace-id
    """.split()  # noqa: SIM905
)
# Of the client, of tracing, and of the network before the hub.
_WRITTEN_ANEW = frozenset(
    """
    user-agent date traceparent tracestate baggage b3 sentry-trace newrelic uber-trace-id request-id correlation-context
    x-request-id x-correlation-id x-trace-id x-cloud-trace-context x-amz-cf-id amz-sdk-invocation-id amz-sdk-request
    postman-token elastic-apm-traceparent x-dynatrace grpc-trace-bin cf-ray x-request-start x-vercel-id fly-request-id
    x-akamai-edgescape x-ms-client-request-id
    """.split()  # noqa: SIM905
)
_WRITTEN_ANEW_SUFFIXES = ("-client-telemetry", "-client-user-agent")
_WRITTEN_ANEW_PREFIXES = (
    "x-b3-",
    "x-datadog-",
    "x-ot-span-",
    "x-stainless-",
    "x-instana-",
    "x-newrelic-",
    "cloudfront-",
)
_VALUE = re.compile(r"[\x20-\x7e\t]*")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
# Encodings that the log can read; an answer passes through as it is encoded.
_ENCODINGS = frozenset(("gzip", "x-gzip", "deflate", "br", "identity"))
_LONGEST_VALUE = 8192
# Kinds of authentication whose calls have a bearer token, and parameters that platforms read as one (RFC 6750, 2.3).
_BEARERS = frozenset(("bearer", "oauth2_client_credentials", "oauth2_refresh_token"))
_TOKENS = frozenset(("access_token", "oauth_token"))


def passed_on(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers of a call of the REST form that are meant for the platform.

    Args:
        headers: of the call, by name in lower case.
    """
    named = {name.strip().lower() for name in headers.get("connection", "").split(",")}
    return {
        name: value
        for name, value in headers.items()
        if name not in named and _plain(name) not in _ENDS_HERE and not _is_refused(name)
    }


def distinguishing(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers of a call of the REST form that make it another call; headers: by name in lower case.

    Left out are those that a client or a network writes anew when it sends the same call again.
    """
    return {
        name: value
        for name, value in passed_on(headers).items()
        if name not in _WRITTEN_ANEW
        and not name.startswith(_WRITTEN_ANEW_PREFIXES)
        and not name.endswith(_WRITTEN_ANEW_SUFFIXES)
    }


def _is_refused(name: str) -> bool:
    return _plain(name) in _NOT_PASSED or _plain(name).startswith(_NOT_PASSED_PREFIXES)


def check(headers: Mapping[str, str]) -> None:
    """Raise HeaderNotAllowed for a header that no platform gets."""
    seen: set[str] = set()
    for name, value in headers.items():
        fault = header_fault(name)
        if fault is not None:
            raise HeaderNotAllowed(f"{_shown(name)} {fault}")
        if _is_refused(name):
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
    refused = {_spelled(where)} if kind == "query" else _TOKENS if kind in _BEARERS else frozenset[str]()
    for name in query:
        if _spelled(name) in refused:
            raise HeaderNotAllowed(f"The parameter {_spelled(name)} is the platform's credential, which the hub sends")
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


def _spelled(parameter: str) -> str:
    """Return a parameter's name as PHP reads it, which takes a dot and a space for an underscore, or begins a list.

    Some servers drop control characters.
    """
    return re.sub("[ .]", "_", _CONTROLS.sub("", parameter).strip().partition("[")[0].lower())


def _shown(name: str) -> str:
    return f"The header {name}" if header_fault(name) != "is not a header's name" else "The name of a header"
