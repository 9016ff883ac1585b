"""Who wants to launch a game: a player, or a person or machine of the player's tenant."""

from dataclasses import dataclass
from uuid import UUID

from causeway.database.postgres import Database
from causeway.tenancy.context import RequestContext


@dataclass(frozen=True, slots=True)
class Launcher:
    """Who wants to launch a game.

    Attributes:
        database: of the casino's login.
        tenant_id: the casino.
        context: of the caller; None where nobody is known, which only the local stage allows.
        player_id: the player that the caller is; None for people and machines of the tenant.
    """

    database: Database
    tenant_id: UUID
    context: RequestContext | None
    player_id: int | None = None

    def acting_for(self, player_id: int) -> RequestContext | None:
        """Return the context in which the caller acts for a player; None where it is the player, or nobody is known."""
        return None if self.player_id == player_id else self.context
