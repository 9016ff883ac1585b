"""A connection opened for calls to its provider, each one logged."""

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from causeway import catalogue, provider_calls
from causeway.audit_log import Action
from causeway.connections import access, audit, rows
from causeway.connections.rows import Connection
from causeway.context import RequestContext
from causeway.errors import ConnectionFailed, InvalidCredentials, NotSupported, ProviderRejected, RateLimited
from causeway.outbound import Attempt, CallFailed, Reply
from causeway.outbound.verdicts import judge
from causeway.provider_calls import Account


@dataclass(frozen=True, slots=True)
class OpenConnection:
    """A connection whose credentials are open for calls."""

    connection: Connection
    account: Account
    # Takes note of each attempt of a call.
    log: Callable[[Attempt], None]

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
    ) -> Reply:
        """Call the provider with the connection's credentials and return its answer, if it is a good one.

        Args:
            path: appended to the base URL, encoded as it is to be sent.
            query: parameters, not encoded.
            headers: beside those that authenticate.
            content: the JSON body; None: no body.

        Raises:
            InvalidCredentials, RateLimited, ProviderRejected: what the platform answered.
            ConnectionFailed: it did not answer, or not as it should.
        """
        outcome: Reply | CallFailed
        try:
            body = None if content is None else {"type": "json", "content": content}
            outcome = provider_calls.request(
                self.account, method, path, self.log, query=query, headers=headers, body=body
            )
        except CallFailed as failure:
            outcome = failure
        verdict = judge(outcome, self.connection.provider_key)
        if isinstance(outcome, CallFailed):
            raise ConnectionFailed(verdict.sentences)
        if verdict.code == "RATE_LIMITED":
            raise RateLimited(retry_after=verdict.retry_after)
        if verdict.about_credentials:
            raise InvalidCredentials(verdict.message)
        if outcome.status in (400, 404, 409, 422):
            raise ProviderRejected
        if not verdict.success:
            raise ConnectionFailed(verdict.sentences)
        return outcome


@contextmanager
def opened(context: RequestContext, identity: UUID, provider_key: str) -> Generator[OpenConnection]:
    """Open an active connection's credentials for a block's calls, which one provider alone has; they are logged.

    Raises:
        ConnectionNotFound.
        IntegrationNotActive: it is not to be used; nothing is decrypted.
        NotSupported: it is another provider's; nothing is decrypted.
        TemplateMoved: the template's addresses are not those the connection was made for.
    """
    with context.transaction() as transaction:
        one = rows.find(transaction, identity)
        rows.demand_active(one)
        if one.provider_key != provider_key:
            raise NotSupported
        provider = catalogue.find(transaction, one.provider_key)
        audit.note(context, transaction, Action.CREDENTIAL_USED, one)
    account = access.account(context, one, provider)
    with access.logged(context, one) as log:
        yield OpenConnection(one, account, log)
