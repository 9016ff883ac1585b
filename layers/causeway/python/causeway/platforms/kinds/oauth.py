"""oauth.py of a platform whose token endpoint does not tell all: what is asked after the exchange of the code."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from causeway.platforms.code_exchange import Exchange


@dataclass(frozen=True, slots=True, repr=False)
class Granted:
    """What a platform has granted to a connection.

    Attributes:
        access_token: as calls use it.
        refresh_token: None: the platform gave none.
        expires_in: the access token's life in seconds; None: no known end.
        refresh_expires_in: the refresh token's life in seconds; None: no known end.
        scopes: None: the platform did not say.
        settings: of the connection, which the grant decides.
        content: the token endpoint's answer.
    """

    access_token: str
    refresh_token: str | None = None
    expires_in: int | None = None
    refresh_expires_in: int | None = None
    scopes: frozenset[str] | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    content: Mapping[str, Any] = field(default_factory=dict)


class OAuthPlatform(Protocol):
    """The module oauth.py of a platform."""

    def complete(self, exchange: "Exchange", granted: Granted) -> Granted:
        """Return the grant with what only further calls tell, such as a long-lived token.

        Args:
            exchange: makes the calls.
            granted: by the token endpoint.

        Raises:
            AuthorizationRefused: the grant is not good for this connection.
            PlatformFailure: a call failed.
        """
