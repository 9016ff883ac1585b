"""What each route takes, answers and refuses, declared beside it; causeway.openapi makes the API's document of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

# How a caller is proved: by a token or an API key, or by a game provider's or a casino's signature.
Proof = Literal["token", "token or key", "launch token", "casino signature", "provider signature"]

_Route = TypeVar("_Route", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Operation:
    """What a route takes and answers. Names are of schemas in causeway.openapi.schemas."""

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
    """Whom a route lets in. permission: what his role must have."""

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
    """Write down how a route's caller is proved, and what his role must permit."""
    GUARDS[route] = Guard(proof, permission)
