"""The work that calls with a connection are made for: its purpose, its time, and what it belongs to."""

from dataclasses import dataclass
from typing import Self
from uuid import UUID

from causeway.outbound.attempts import Purpose
from causeway.outbound.deadlines import Deadline
from causeway.platforms.call_terms import BEHIND_HTTP

# Seconds for a call of a job. The job's own time limit ends it earlier.
IN_A_JOB = 60.0


@dataclass(frozen=True, slots=True)
class Work:
    """The work that calls are made for.

    Attributes:
        seconds: for a call, all its attempts and waits together.
        deadline: for all the calls together; None: each has its own seconds.
        run_id: of the sync that makes the calls.
        event_id: of the event that caused them.
    """

    purpose: Purpose
    seconds: float
    deadline: Deadline | None = None
    run_id: UUID | None = None
    event_id: UUID | None = None

    @classmethod
    def behind_http(cls, purpose: Purpose = "interactive") -> Self:
        """Return the work of a caller who waits for the answer: all its calls share BEHIND_HTTP seconds from now."""
        return cls(purpose, BEHIND_HTTP, Deadline(BEHIND_HTTP))

    @classmethod
    def of_run(cls, run_id: UUID) -> Self:
        """Return the work of a sync's run: each call has IN_A_JOB seconds."""
        return cls("sync", IN_A_JOB, run_id=run_id)
