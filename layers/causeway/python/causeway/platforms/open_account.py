"""An account whose secrets are decrypted, for the calls of one piece of work; each call is logged."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any

from causeway.errors.platforms import (
    PlatformFailure,
    ProviderError,
    ProviderForbidden,
    ProviderOutcomeUnknown,
    ProviderRejected,
    UnexpectedAnswer,
)
from causeway.outbound.failures import CallFailed
from causeway.outbound.replies import Reply
from causeway.platforms import calls
from causeway.platforms.account import Account, Log
from causeway.platforms.kinds.errors import ErrorReader
from causeway.platforms.token_calls import FreshTokens
from causeway.platforms.tokens import TokenRefused, TokenSource
from causeway.platforms.verdicts import WORKING, Effect, Verdict, judge, stated_error

# Idempotent methods (RFC 9110, 9.2.2): safe to send again where the outcome is unknown.
_IDEMPOTENT = frozenset(("GET", "HEAD", "OPTIONS", "PUT", "DELETE"))


@dataclass(frozen=True, slots=True)
class OpenAccount:
    """An account that can be called.

    Attributes:
        account: with the secrets in plain text.
        log: takes the redacted record of each attempt.
        observe: takes what each call shows of the connection: that it works, or why not.
        reader: of the platform's own errors, if it has one.
        tokens: gives the calls their access token.
    """

    account: Account
    log: Log
    observe: Callable[[Verdict], object]
    reader: ErrorReader | None = None
    tokens: TokenSource = dataclass_field(default_factory=FreshTokens)

    def field(self, name: str) -> str:
        """Return a setting of the connection that is not a secret."""
        return str(self.account.settings[name])

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
        """Call the platform with the account's credentials and return the answer, if the call succeeded.

        A 2xx is a success, unless the platform's reader finds an error in its body.

        Args:
            method: of HTTP.
            path: appended to the base URL, encoded as it is to be sent.
            query: parameters, not encoded.
            headers: in addition to those that authenticate.
            content: the JSON body; None: no such body.
            form: the fields of a form as the body; None: no such body.

        Raises:
            InvalidCredentials, RateLimited, ProviderRejected: the platform refused the call; nothing was done.
            ConfigInvalid: the connection's settings do not make a call.
            ConnectionFailed: no answer, or an unusable answer; the call may be sent again.
            ProviderOutcomeUnknown: the same, but the platform may have done what was asked, and would do it twice.
        """
        body = None if content is None else {"type": "json", "content": content}
        if form is not None:
            body = {"type": "form", "content": form}
        try:
            reply = calls.request(
                self.account, method, path, self.log, query=query, headers=headers, body=body, tokens=self.tokens
            )
        except TokenRefused as refusal:
            # The call that needs the token was not sent, so nothing is in doubt.
            raise self._refusal("GET", refusal.reply, token=True) from None
        except CallFailed as failure:
            raise self._failure(method, failure) from failure
        if 200 <= reply.status < 300 and stated_error(reply, self.reader) is None:
            self.observe(WORKING)
            return reply
        raise self._refusal(method, reply)

    def _failure(self, method: str, failure: CallFailed) -> PlatformFailure | ProviderOutcomeUnknown:
        """Return the error of a call without a usable answer."""
        verdict = judge(failure, address=self.account.address)
        self.observe(verdict)
        if failure.sent and method not in _IDEMPOTENT:
            return ProviderOutcomeUnknown()
        return verdict.refusal()

    def _refusal(self, method: str, reply: Reply, *, token: bool = False) -> PlatformFailure | ProviderOutcomeUnknown:
        """Return the error of an answer that is not a success.

        Args:
            method: of the call that was answered, or that needs the token.
            reply: the answer.
            token: whether it answers the call for a token, which every other call needs.
        """
        verdict = judge(reply, self.reader)
        if verdict.error is None:
            # ACCEPTED is about the test call: judge an answer to another call by its status.
            verdict = judge(reply)
        # A 408 without an error of the platform's own: the request did not arrive in time.
        late = reply.status == 408 and verdict.error is UnexpectedAnswer
        # These say something about this call, and nothing about the connection.
        about_call = verdict.error in (ProviderForbidden, ProviderRejected) or late
        if token or not about_call:
            self.observe(verdict)
        if verdict.effect in (Effect.BUSY, Effect.REFUSED):
            return verdict.refusal()
        # A redirect, a time-out (408) and an error inside the platform do not say that nothing was done.
        doubtful = verdict.error is ProviderError or 300 <= reply.status < 400 or late
        if doubtful and method not in _IDEMPOTENT:
            return ProviderOutcomeUnknown()
        if verdict.error is ProviderRejected or late:
            return ProviderRejected()
        return verdict.refusal()
