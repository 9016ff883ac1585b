"""The terms of the calls that one piece of work makes with an account: their log, gate, readers and time."""

from collections.abc import Hashable
from dataclasses import dataclass, field

from causeway.outbound.deadlines import Deadline
from causeway.platforms.account import Log
from causeway.platforms.gate import Gate, OpenGate
from causeway.platforms.kinds.errors import ErrorReader
from causeway.platforms.kinds.limits import LimitReader
from causeway.platforms.token_calls import FreshTokens
from causeway.platforms.tokens import TokenSource

# Seconds for the calls behind HTTP, all their attempts and waits together. An HTTP API of API Gateway ends at 30 s and
# its functions at 29 s: so the caller gets our answer, and the attempts are logged.
BEHIND_HTTP = 25.0


@dataclass(frozen=True, slots=True)
class CallTerms:
    """The terms of calls.

    Attributes:
        log: takes the redacted record of each attempt.
        gate: lets each attempt pass.
        errors: reads the platform's own errors, None if it has none.
        tokens: gives the calls their access token.
        limits: reads the platform's own rate limits, None if it tells none.
        keep_for: whose calls they are, as causeway.outbound.client.send takes it; None: no connection is kept.
        seconds: for a call.
        deadline: for all the calls together; None: each has its own seconds.
    """

    log: Log
    gate: Gate = field(default_factory=OpenGate)
    errors: ErrorReader | None = None
    limits: LimitReader | None = None
    tokens: TokenSource = field(default_factory=FreshTokens)
    keep_for: Hashable = None
    seconds: float = BEHIND_HTTP
    deadline: Deadline | None = None

    def start(self) -> Deadline:
        """Return the deadline of a call that begins now."""
        return Deadline(self.seconds, self.deadline)
