"""What each route takes, answers and refuses, declared beside it; tools.openapi makes the API's document of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

_Route = TypeVar("_Route", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Proof:
    """One way to prove who calls, and what routes that ask for it have in common."""

    # Who calls, for people; the roles follow where a route asks for a permission.
    sentence: str
    # Error codes that every such route can answer.
    refuses: tuple[str, ...]
    # Names of security schemes (tools.openapi.document), one of which is enough, and of headers
    # (tools.openapi.schemas.parameters).
    security: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    # Whether API Gateway itself refuses callers, by a 401 without a code.
    gateway: bool = False
    # Whether it is the hub's, whose changes take If-Match and Idempotency-Key.
    hub: bool = False
    # Whether game provider and casino call each other by it.
    signed: bool = False


_FAULTS = ("INTERNAL", "UNAVAILABLE")
_HUB = ("INVALID_REQUEST", "TENANT_REQUIRED", "UNAUTHORIZED", "FORBIDDEN", "TENANT_NOT_FOUND", *_FAULTS)
_SIGNED = ("INVALID_REQUEST", "PAYLOAD_TOO_LARGE", "SIGNATURE_INVALID", *_FAULTS)

NO_PROOF = Proof("Called by anyone", ("INTERNAL",))
TOKEN = Proof("Called with a token", _HUB, ("token",), ("X-Tenant-Id",), gateway=True, hub=True)
TOKEN_OR_KEY = Proof("Called with a token or an API key", _HUB, ("token", "apiKey"), ("X-Tenant-Id",), hub=True)
LAUNCH = Proof(
    "Called with the player's own token, or with a token or an API key (the local stage takes a call without either)",
    (*_HUB, "TOKEN_REQUIRED", "PAYLOAD_TOO_LARGE"),
    ("token", "apiKey"),
    ("X-Tenant-Id",),
)
CASINO_SIGNATURE = Proof(
    "Called by a game provider, with its signature", _SIGNED, ("casinoSignature",), ("x-provider-code",), signed=True
)
PROVIDER_SIGNATURE = Proof(
    "Called by a casino, with its signature", _SIGNED, ("providerSignature",), ("x-provider-code",), signed=True
)


@dataclass(frozen=True, slots=True)
class Operation:
    """What a route takes and answers. Names are of schemas in tools.openapi.schemas."""

    answer: str | None
    status: int
    request: str | None
    # The schema whose properties are the query's parameters.
    query: str | None
    # Error codes, beyond those that every route of its kind can answer.
    refuses: tuple[str, ...]
    media_types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Guard:
    """Whom a route lets in. permission: what the caller's role must have."""

    proof: Proof
    permission: str | None = None


OPERATIONS: dict[Callable[..., Any], Operation] = {}
GUARDS: dict[Callable[..., Any], Guard] = {}


def describe(
    answer: str | None = None,
    *,
    status: int = 200,
    request: str | None = None,
    query: str | None = None,
    refuses: str = "",
    media_types: tuple[str, ...] = ("application/json",),
) -> Callable[[_Route], _Route]:
    """Declare what a route takes and answers; it stands next to the route's function.

    Args:
        answer: the schema of the answer's JSON, None where it has none.
        status: of the answer.
        request: the schema of the body.
        query: the schema of the query.
        refuses: error codes with spaces between, without those that every route of its kind has.
        media_types: of the answer; the schema is the first one's.
    """

    def declare(route: _Route) -> _Route:
        OPERATIONS[route] = Operation(answer, status, request, query, tuple(refuses.split()), media_types)
        return route

    return declare


def guarded(route: Callable[..., Any], proof: Proof, permission: str | None = None) -> None:
    """Write down how a route's caller is proved, and what the caller's role must permit."""
    GUARDS[route] = Guard(proof, permission)
