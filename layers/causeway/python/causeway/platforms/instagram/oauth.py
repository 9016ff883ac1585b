"""Authorization of Instagram by its own login: a token of 60 days for graph.instagram.com.

https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/business-login
"""

from dataclasses import replace

from causeway.platforms.code_exchange import Exchange, Granted
from causeway.platforms.token_calls import scopes_of


def complete(exchange: Exchange, granted: Granted) -> Granted:
    """Return the long-lived token, the permissions, and the account's id where the connection has none."""
    query = {
        "grant_type": "ig_exchange_token",
        "client_secret": exchange.app.client_secret,
        "access_token": granted.grant.access_token,
    }
    longer = exchange.token(exchange.get(exchange.url("exchange_url"), query))
    settings = {"graph_host": "graph.instagram.com"}
    user = granted.content.get("user_id")
    if "ig_user_id" not in exchange.account.settings and isinstance(user, (int, str)):
        settings["ig_user_id"] = str(user)
    grant = replace(longer.grant, scopes=scopes_of(granted.content.get("permissions")))
    return replace(longer, grant=grant, settings=settings)
