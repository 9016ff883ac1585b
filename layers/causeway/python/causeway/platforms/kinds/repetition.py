"""repetition.py of a platform that knows a repeated call by its idempotency key."""

from typing import Protocol


class RepetitionKeys(Protocol):
    """Names the header in which the platform takes the key."""

    def idempotency_header(self) -> str:
        """Return the name of the header: a call that has it is not carried out twice."""
