"""errors.py of a platform: reads the platform's own error answers."""

from collections.abc import Mapping
from typing import Any, Final, Literal, Protocol

from causeway.errors.platforms import InvalidCredentials, ProviderError, ProviderRejected, RateLimited

# The answer shows that the platform accepts the credentials, although it looks like an error.
ACCEPTED: Final = "accepted"
# ProviderForbidden is a subclass of InvalidCredentials. After ProviderError a change may be done or not; the others
# say that nothing was done.
Error = type[InvalidCredentials] | type[RateLimited] | type[ProviderRejected] | type[ProviderError]
Meaning = Error | Literal["accepted"]


class ErrorReader(Protocol):
    """Reads errors that the HTTP status does not show: an error in the body, or with a misleading status."""

    def read_error(self, status: int, content: Mapping[str, Any]) -> Meaning | None:
        """Return the meaning of an answer; None if its status shows the meaning.

        It reads the answers of all calls. An error counts whatever the status; ACCEPTED counts for the test call only.

        Args:
            status: the HTTP status, of errors and of successes.
            content: the body, any JSON object; a field of an unexpected type must not make the reader raise.
        """
