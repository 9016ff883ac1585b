"""The catalogue with the sandbox in the place of the platforms."""

import copy
from typing import Any


def redirected(document: dict[str, Any], url: str) -> dict[str, Any]:
    """A provider of schema/catalogue/ whose calls go to the sandbox at url, in each environment that it has.

    Where a connection names its base URL itself, the sandbox's is the default.
    """
    changed = copy.deepcopy(document)
    base_url = f"{url}/{document['key']}"
    for environment, given in document["base_urls"].items():
        changed["base_urls"][environment] = base_url if given else None
    if document["health_call"].get("configured_url"):
        changed["config_schema"]["properties"]["base_url"]["default"] = base_url
    if "token_url" in changed["authentication"]:
        changed["authentication"]["token_url"] = f"{base_url}/token"
    return changed
