"""sync.py of a platform: the engine that syncs the data of one connection."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol
from uuid import UUID

from causeway.tenancy.context import JobContext

if TYPE_CHECKING:
    # Functions that only show runs load this module: keep the client for outside calls out of their start-up.
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from causeway.platforms.open_account import OpenAccount


@dataclass(frozen=True, slots=True)
class SyncRun:
    """A run that an engine works on.

    Attributes:
        context: the job's, of the connection's tenant.
        run_id: the run.
        connection_id: the connection whose data is synced.
        attempt: counts from 1.
        open_account: opens the connection's account for a block's calls, as connections.use.open_connection does.
    """

    context: JobContext
    run_id: UUID
    connection_id: UUID
    attempt: int
    open_account: "Callable[[], AbstractContextManager[OpenAccount]]"


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a run.

    Attributes:
        reason: one of causeway.syncs.runs.REASONS, None if there is nothing to explain.
    """

    status: Literal["succeeded", "partial", "failed"]
    reason: str | None = None


class SyncEngine(Protocol):
    """The module sync.py of a platform whose data can be synced."""

    def sync(self, run: SyncRun) -> Result:
        """Work on a run and return its result. After an exception the run is attempted again."""
