"""Meta's login for Facebook and Facebook Ads: the long-lived token, and the permissions that were granted.

https://developers.facebook.com/docs/facebook-login/guides/access-tokens/get-long-lived
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from causeway.platforms.token_calls import scopes_of

if TYPE_CHECKING:
    from causeway.platforms.code_exchange import Exchange, Granted


def long_lived(exchange: "Exchange", granted: "Granted") -> "Granted":
    """Return the grant with a token of about 60 days, and the permissions that the person granted."""
    query = {
        "grant_type": "fb_exchange_token",
        "client_id": exchange.app.client_id,
        "client_secret": exchange.app.client_secret,
        "fb_exchange_token": granted.grant.access_token,
    }
    longer = exchange.token(exchange.get(exchange.url("exchange_url"), query))
    url = exchange.account.url(exchange.account.filled_path("/{graph_version}/me/permissions"))
    told = exchange.get(url, authorization=f"Bearer {longer.grant.access_token}").get("data")
    permissions = [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []
    scopes = scopes_of([one.get("permission") for one in permissions if one.get("status") == "granted"])
    return replace(longer, grant=replace(longer.grant, scopes=scopes))
