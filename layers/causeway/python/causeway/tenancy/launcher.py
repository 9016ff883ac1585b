"""The launcher of a game: a player, or a person or machine that acts for a player of the tenant."""

from dataclasses import dataclass
from uuid import UUID

from causeway.database.postgres import Database
from causeway.tenancy.context import RequestContext


@dataclass(frozen=True, slots=True)
class Launcher:
    """The caller of a launch.

    Attributes:
        database: with the casino's login.
        tenant_id: the casino's tenant.
        context: the caller's context; None for an unauthenticated caller, which only the local stage allows.
        player_id: the caller's own id as a player; None for other people and for machines.
    """

    database: Database
    tenant_id: UUID
    context: RequestContext | None
    player_id: int | None = None

    def acting_for(self, player_id: int) -> RequestContext | None:
        """Return the context if the caller acts for another player; None for the player or if unauthenticated."""
        return None if self.player_id == player_id else self.context
