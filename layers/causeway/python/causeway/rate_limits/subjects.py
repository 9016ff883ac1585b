"""The subjects of limits: what a request is counted for."""

from dataclasses import dataclass
from typing import Literal

from causeway.rate_limits.limits import RESERVE, Limits

# provider, oauth_app: shared by all tenants. key: a name that a tenant chose.
Kind = Literal["connection", "provider", "tenant", "api_key", "oauth_app", "key"]

# Budgets at a platform, of which payments and messages have a reserve.
_RESERVED: frozenset[Kind] = frozenset({"connection", "provider", "oauth_app"})


@dataclass(frozen=True, slots=True)
class Subject:
    """A subject and its limits.

    Attributes:
        id: of the connection, the API key, the tenant, the provider's or app's key: 1 to 200 characters.
        limits: a subject without any limit is still counted.
    """

    kind: Kind
    id: str
    limits: Limits

    def usable(self, *, reserved: bool) -> Limits:
        """Return the limits of a request; reserved: it may use the reserve."""
        return self.limits if reserved or self.kind not in _RESERVED else self.limits.without_reserve(RESERVE)
