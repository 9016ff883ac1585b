"""Authorization of Facebook Ads: the long-lived token of the person."""

from typing import TYPE_CHECKING

from causeway.platforms.vendors import meta_login

if TYPE_CHECKING:
    from causeway.platforms.code_exchange import Exchange, Granted


def complete(exchange: "Exchange", granted: "Granted") -> "Granted":
    """Return the long-lived token."""
    return meta_login.long_lived(exchange, granted)
