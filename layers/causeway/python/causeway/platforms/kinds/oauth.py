"""oauth.py of a platform whose token endpoint does not tell all: what is asked after the exchange of the code."""

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from causeway.platforms.code_exchange import Exchange, Granted


class OAuthPlatform(Protocol):
    """The module oauth.py of a platform."""

    def complete(self, exchange: "Exchange", granted: "Granted") -> "Granted":
        """Return the grant with what only further calls tell, such as a long-lived token.

        Args:
            exchange: makes the calls.
            granted: by the token endpoint.

        Raises:
            AuthorizationRefused: the grant is not good for this connection.
            PlatformFailure: a call failed.
        """
