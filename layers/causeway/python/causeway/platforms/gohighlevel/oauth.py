"""Authorization of GoHighLevel: the location that the person chose.

https://github.com/GoHighLevel/highlevel-api-docs/blob/main/docs/oauth/Authorization.md
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from causeway.errors.oauth import AuthorizationRefused

if TYPE_CHECKING:
    from causeway.platforms.code_exchange import Exchange, Granted


def complete(exchange: "Exchange", granted: "Granted") -> "Granted":
    """Return the grant with its location, which must be the connection's where the connection has one."""
    location, wanted = granted.content.get("locationId"), exchange.account.settings.get("locationId")
    if not isinstance(location, str) or not location:
        raise AuthorizationRefused(
            "The authorization is for an agency, not for a location; nothing was changed",
            action="Begin the authorization again and choose a sub-account (location).",
        )
    if wanted not in (None, location):
        raise AuthorizationRefused(
            "The authorization is for another location than config.locationId; nothing was changed",
            action="Begin the authorization again and choose the connection's own location.",
        )
    return replace(granted, settings={"locationId": location})
