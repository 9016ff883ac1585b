"""The order in which all example requests work on a new local stack, one after the other."""

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


def in_order(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the operations of the document: those that read, then those that make, change, act and delete."""
    ranked = [
        (_rank(method.upper(), operation), operation)
        for methods in document["paths"].values()
        for method, operation in methods.items()
    ]
    first = [operation for _, operation in sorted(ranked, key=lambda one: one[0]) if _name(operation) not in _AFTER]
    later = {_AFTER[_name(operation)]: operation for _, operation in ranked if _name(operation) in _AFTER}
    return [each for one in first for each in (one, later.get(_name(one))) if each is not None]


def _rank(method: str, operation: dict[str, Any]) -> int:
    made = {"201", "202"} & operation["responses"].keys()
    return _RANKS.get(method, _MADE if made else _DONE)


def _name(operation: dict[str, Any]) -> str:
    return operation["operationId"]
