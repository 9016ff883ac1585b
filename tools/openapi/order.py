"""The order in which all example requests work on a new local stack, one after the other."""

from dataclasses import dataclass
from typing import Any

# Operations whose example needs that of another one: it makes what they name, or changes what they change back.
AFTER = {
    "integrations_connections_roll_back": "integrations_connections_rotate",
    "integrations_connections_enable": "integrations_connections_disable",
    "wallet_credit_credit": "wallet_debit_debit",
}


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
    """Return the operations as the document has them, but each with x-after behind the operation that it names."""
    every = [
        Placed(method.upper(), path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    later = {one.operation["x-after"]: one for one in every if "x-after" in one.operation}
    first = [one for one in every if "x-after" not in one.operation]
    return [each for one in first for each in (one, later.get(one.name)) if each is not None]
