"""The catalogue with the sandbox's addresses in place of the platforms'."""

import copy
from typing import Any


def redirected(document: dict[str, Any], url: str) -> dict[str, Any]:
    """Return a document of schema/catalogue/ with the sandbox's address in each environment that it has.

    Where a connection configures its base URL, the sandbox's is the default.

    Args:
        document: the provider's.
        url: the sandbox's.
    """
    changed = copy.deepcopy(document)
    base_url = f"{url}/{document['key']}"
    for environment, given in document["base_urls"].items():
        changed["base_urls"][environment] = base_url if given else None
    if document["health_call"].get("configured_url"):
        changed["config_schema"]["properties"]["base_url"]["default"] = base_url
    authentication = changed["authentication"]
    # A platform's other hosts are the same server here; their paths tell them apart.
    if authentication["type"] == "oauth2_refresh_token":
        authentication["token_url"] = f"{base_url}/{authentication['token_url'].split('/', 3)[3]}"
    if "self_renewal" in authentication:
        renewal = authentication["self_renewal"]
        renewal["url"] = f"{base_url}/{renewal['url'].split('/', 3)[3]}"
    oauth = changed.get("oauth") or {}
    for name in ("authorize_url", "token_url", "exchange_url", "account_url"):
        if name in oauth:
            oauth[name] = f"{base_url}/{oauth[name].split('/', 3)[3]}"
    return changed
