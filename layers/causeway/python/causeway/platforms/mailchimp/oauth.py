"""Authorization of Mailchimp: the metadata call tells the data centre of the account.

https://mailchimp.com/developer/marketing/guides/access-user-data-oauth-2/
"""

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from causeway.errors.oauth import AuthorizationRefused

if TYPE_CHECKING:
    from causeway.platforms.code_exchange import Exchange, Granted

# The token is sent there: no other host is accepted.
_ENDPOINT = re.compile(r"https://(?P<centre>[a-z]{2,4}[0-9]{1,3})\.api\.mailchimp\.com")


def complete(exchange: "Exchange", granted: "Granted") -> "Granted":
    """Return the token in the form of an API key, which ends with the data centre."""
    told = exchange.get(exchange.url("account_url"), authorization=f"OAuth {granted.grant.access_token}")
    endpoint = told.get("api_endpoint")
    found = _ENDPOINT.fullmatch(endpoint) if isinstance(endpoint, str) else None
    if found is None:
        raise AuthorizationRefused("Mailchimp did not name an address of its own API; nothing was changed")
    centre = found["centre"]
    grant = replace(granted.grant, access_token=f"{granted.grant.access_token}-{centre}")
    return replace(granted, grant=grant, settings={"data_center": centre})
