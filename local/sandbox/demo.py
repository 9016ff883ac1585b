"""The catalogue with the sandbox in the place of the platforms, and configurations that work there."""

import copy
from typing import Any

from local.sandbox.credentials import DEMO_CREDENTIALS


def redirected(document: dict[str, Any], url: str) -> dict[str, Any]:
    """A provider of schema/catalogue/ whose calls go to the sandbox at url, in every environment."""
    changed = copy.deepcopy(document)
    base_url = f"{url}/{document['key']}"
    for environment, given in document["base_urls"].items():
        changed["base_urls"][environment] = base_url if given or environment == "sandbox" else None
    if "token_url" in changed["health_call"]["auth"]:
        changed["health_call"]["auth"]["token_url"] = f"{base_url}/token"
    return changed


def configuration(document: dict[str, Any], url: str) -> dict[str, str]:
    """A configuration the sandbox accepts; with its base URL, where the provider has none of its own."""
    credentials = dict(DEMO_CREDENTIALS[document["key"]])
    if document["health_call"].get("configured_url"):
        credentials["base_url"] = f"{url}/{document['key']}"
    return credentials
