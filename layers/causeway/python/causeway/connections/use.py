"""A connection opened for calls to its provider, each one logged."""

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from causeway.connections import access
from causeway.connections.connection import Connection
from causeway.errors.platforms import ProviderOutcomeUnknown, ProviderRejected
from causeway.errors.tree import CausewayError
from causeway.outbound.client import Attempt
from causeway.outbound.failures import CallFailed
from causeway.outbound.replies import Reply
from causeway.platforms import calls
from causeway.platforms.account import Account
from causeway.platforms.calls import TokenRefused
from causeway.platforms.verdicts import WORKING, Finding, Verdict, judge
from causeway.tenancy.context import Context
from causeway.wire.preconditions import ANY, Expected

# Done twice they do what they do once (RFC 9110, 9.2.2), so they are sent again where the outcome is not known.
_REPEATABLE = frozenset(("GET", "HEAD", "OPTIONS", "PUT", "DELETE"))


@dataclass(frozen=True, slots=True)
class OpenConnection:
    """A connection whose credentials are open for calls."""

    connection: Connection
    account: Account
    # Takes note of each attempt of a call.
    log: Callable[[Attempt], None]
    # Takes note of what a call has shown of the connection: that it works, or why not.
    observe: Callable[[Verdict], None]

    def field(self, name: str) -> str:
        """Return a setting of the connection that is no secret."""
        return str(self.connection.config[name])

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        content: dict[str, Any] | None = None,
        form: Mapping[str, str] | None = None,
    ) -> Reply:
        """Call the provider with the connection's credentials and return its answer, if its status is 2xx.

        Args:
            method: of HTTP.
            path: appended to the base URL, encoded as it is to be sent.
            query: parameters, not encoded.
            headers: beside those that authenticate.
            content: the JSON body; None: none.
            form: the body's fields, instead; None: none.

        Raises:
            InvalidCredentials, RateLimitExceeded, ProviderRejected: what the platform answered; nothing was done.
            ConfigInvalid: the connection's settings do not make a call.
            ConnectionFailed: it did not answer, or not as it should; the call may be sent again.
            ProviderOutcomeUnknown: likewise, but what was asked may be done, and would be done twice.
        """
        body = None if content is None else {"type": "json", "content": content}
        if form is not None:
            body = {"type": "form", "content": form}
        try:
            reply = calls.request(self.account, method, path, self.log, query=query, headers=headers, body=body)
        except TokenRefused as refusal:
            # The call that the token is for was not sent: as little is in doubt as after a read.
            raise self._refusal("GET", refusal.reply, token=True) from None
        except CallFailed as failure:
            verdict = judge(failure, address=self.account.address)
            self.observe(verdict)
            if failure.sent and method not in _REPEATABLE:
                raise ProviderOutcomeUnknown from failure
            raise verdict.error() from failure
        if 200 <= reply.status < 300:
            self.observe(WORKING)
            return reply
        raise self._refusal(method, reply)

    def _refusal(self, method: str, reply: Reply, *, token: bool = False) -> CausewayError:
        """What an answer other than 2xx means; some platforms tell in its body what others tell by the status.

        Args:
            method: of the call that was answered, or that a token was asked for.
            reply: the answer.
            token: whether it is to the call for the token, which every other call needs.
        """
        verdict = judge(reply, self.connection.provider_key)
        # That these credentials may not make this call, or that it asks for what is not there, is about the call.
        of_call = verdict.code in ("PROVIDER_FORBIDDEN", "PROVIDER_REJECTED") or reply.status == 408
        if token or not of_call:
            self.observe(verdict)
        if verdict.finding in (Finding.BUSY, Finding.REFUSED):
            return verdict.error()
        # Where to look for what was done (303), or that it took too long (408), is not that nothing was done.
        doubtful = verdict.code == "PROVIDER_ERROR" or reply.status < 400 or reply.status == 408
        if doubtful and method not in _REPEATABLE:
            return ProviderOutcomeUnknown()
        if 400 <= reply.status < 500 and verdict.code != "PROVIDER_ERROR":
            return ProviderRejected()
        return verdict.error()


@contextmanager
def opened(
    context: Context, connection_id: UUID, *provider_keys: str, expected: Expected = ANY
) -> Generator[OpenConnection]:
    """Open an active connection's credentials for a block's calls; they are logged.

    Args:
        context: who makes them.
        connection_id: the connection.
        provider_keys: the providers that can do what they ask for; none: any.
        expected: the versions of the connection that its user saw.

    Raises:
        ConnectionNotFound, VersionMismatch.
        IntegrationNotActive: it is not to be used; nothing is decrypted.
        NotSupported: it is another provider's; nothing is decrypted.
        TemplateMoved: a super admin changed the template since the tenant agreed to it; nothing is decrypted.
        CredentialMissing, CredentialUnreadable, KeyServiceUnavailable: its secrets cannot be opened.
    """
    use = access.found(context, connection_id, *provider_keys, active=True, expected=expected)
    account = access.account(context, use)
    observed: list[Verdict] = []
    with access.logged(context, use.connection, account.secrets, observed) as log:
        yield OpenConnection(use.connection, account, log, observed.append)
