"""The order in which all example requests work on a new local stack, one after the other."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

# Operations whose example needs that of another one: it makes what they name, or changes what they change back.
# Both have the same tag: the page shows them in one section.
AFTER = {
    "integrations_connections_roll_back": "integrations_connections_rotate",
    "integrations_connections_enable": "integrations_connections_disable",
    "oauth_authorize_complete": "oauth_authorize_authorize",
    "wallet_credit_credit": "wallet_debit_debit",
}


class Unordered(ValueError):
    """No order works: an operation's x-after names an operation that does not exist, or leads back to itself."""


@dataclass(frozen=True, slots=True)
class Placed:
    """An operation of the document with its method, in upper case, and its path."""

    method: str
    path: str
    operation: dict[str, Any]

    @property
    def name(self) -> str:
        """The operation's id."""
        return self.operation["operationId"]


def in_order(document: dict[str, Any]) -> list[Placed]:
    """Return every operation once, as the document has them, but those with x-after behind the one that they name.

    Raises:
        Unordered: some operations have no place in such an order.
    """
    every = [
        Placed(method.upper(), path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    by_need: dict[str | None, list[Placed]] = defaultdict(list)
    for one in every:
        by_need[one.operation.get("x-after")].append(one)
    found = list(_behind(None, by_need))
    lost = {one.name for one in every} - {one.name for one in found}
    if lost:
        raise Unordered(f"x-after gives the operations {sorted(lost)} no place: see AFTER in tools/openapi/order.py")
    return found


def _behind(need: str | None, by_need: dict[str | None, list[Placed]]) -> Iterator[Placed]:
    """Yield the operations that need this one (None: those that need none), each with those that need it."""
    for one in by_need.get(need, ()):
        yield one
        yield from _behind(one.name, by_need)
