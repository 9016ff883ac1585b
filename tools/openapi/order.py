"""The order in which all example requests work on a new local stack, one after the other."""

from dataclasses import dataclass
from typing import Any

# Operations that need the one before: it makes what they name, or changes what they change back.
_AFTER = {
    "integrations_connections_roll_back": "integrations_connections_rotate",
    "integrations_connections_enable": "integrations_connections_disable",
    "wallet_credit_credit": "wallet_debit_debit",
}
# Reading, changing and deleting; a POST makes something, or does something with an object that is there.
_RANKS = {"GET": 0, "PATCH": 2, "DELETE": 4}
_MADE, _DONE = 1, 3


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

    @property
    def rank(self) -> int:
        """Where it stands among the others."""
        made = {"201", "202"} & self.operation["responses"].keys()
        return _RANKS.get(self.method, _MADE if made else _DONE)


def in_order(document: dict[str, Any]) -> list[Placed]:
    """Return the operations of the document: those that read, then those that make, change, act and delete."""
    every = [
        Placed(method.upper(), path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    first = sorted((one for one in every if one.name not in _AFTER), key=lambda one: one.rank)
    later = {_AFTER[one.name]: one for one in every if one.name in _AFTER}
    return [each for one in first for each in (one, later.get(one.name)) if each is not None]
