"""Old versions of Lambda functions, whose snapshots (SnapStart) cost as long as they exist."""

from typing import Any

from causeway.aws import clients

# The newest versions that are kept: the one in use, the one before it for a rollback, and one that a deployment made
# and did not use.
KEPT = 3


def delete_one(function: str) -> bool:
    """Delete the oldest version of a function that is neither among the newest nor used by an alias.

    Args:
        function: its name.

    Returns:
        Whether there was such a version.
    """
    service = clients.client("lambda")
    pages = service.get_paginator("list_versions_by_function").paginate(FunctionName=function)
    numbers = sorted(
        int(version["Version"]) for page in pages for version in page["Versions"] if version["Version"].isdecimal()
    )
    old = [number for number in numbers[:-KEPT] if str(number) not in _in_use(service, function)]
    if old:
        service.delete_function(FunctionName=function, Qualifier=str(old[0]))
    return bool(old)


def _in_use(service: Any, function: str) -> set[str]:
    """The versions that the function's aliases lead to, also for a part of the calls."""
    used: set[str] = set()
    for page in service.get_paginator("list_aliases").paginate(FunctionName=function):
        for alias in page["Aliases"]:
            used |= {alias["FunctionVersion"], *(alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights", {})}
    return used
