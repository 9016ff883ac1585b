"""An account whose secrets are decrypted, for the calls of one piece of work; each call is logged."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from causeway.errors.platforms import (
    PlatformFailure,
    ProviderError,
    ProviderForbidden,
    ProviderOutcomeUnknown,
    ProviderRejected,
    UnexpectedAnswer,
)
from causeway.outbound import retries
from causeway.outbound.failures import CallFailed
from causeway.outbound.replies import Reply
from causeway.outbound.retries import Repetition
from causeway.platforms import retrying
from causeway.platforms.account import Account
from causeway.platforms.call_terms import CallTerms
from causeway.platforms.retrying import Answered, PlatformRequest
from causeway.platforms.tokens import TokenRefused
from causeway.platforms.verdicts import WORKING, Effect, Verdict, judge, stated_error

# Of a call whose path its caller chose.
_REFUSED_SOMEWHERE = Verdict(
    ProviderRejected,
    "The platform did not accept the credentials in a call through the proxy.",
    "Test the connection: only the test shows whether the credentials work.",
)


@dataclass(frozen=True, slots=True)
class OpenAccount:
    """An account that can be called.

    Attributes:
        account: with the secrets in plain text.
        terms: of its calls.
        observe: takes what each call shows of the connection: that it works, or why not.
    """

    account: Account
    terms: CallTerms
    observe: Callable[[Verdict], object]

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
        repetition: Repetition | None = None,
    ) -> Reply:
        """Call the platform with the account's credentials and return the answer, if the call succeeded.

        A 2xx is a success, unless the platform's reader finds an error in its body. A call is tried again where that is
        safe, all within the terms' seconds.

        Args:
            method: of HTTP.
            path: appended to the base URL, encoded as it is to be sent.
            query: parameters, not encoded.
            headers: in addition to those that authenticate.
            content: the JSON body; None: no such body.
            form: the fields of a form as the body; None: no such body.
            repetition: what a second request does: "keyed" where a header has the platform's idempotency key; None:
                what the method says.

        Raises:
            InvalidCredentials, RateLimited, ProviderRejected: the platform refused the call; nothing was done.
            ConfigInvalid: the connection's settings do not make a call.
            ConnectionFailed: no answer, or an unusable answer; the call may be sent again.
            ProviderOutcomeUnknown: the same, but the platform may have done what was asked, and would do it twice.
            RateLimitExceeded, CircuitOpen: the call was not made.
        """
        body = None if content is None else {"type": "json", "content": content}
        if form is not None:
            body = {"type": "form", "content": form}
        request = PlatformRequest(method, path, query or {}, headers or {}, repetition=repetition).of_body(body)
        answered = self.send(request)
        reply = answered.reply
        if 200 <= reply.status < 300 and stated_error(reply, self.terms.errors) is None:
            self.observe(WORKING)
            return reply
        raise self._refusal(request, reply, answered.verdict, in_doubt=answered.in_doubt)

    def send(self, request: PlatformRequest) -> Answered:
        """Make a call and return the answer, whatever its status; what it shows is not observed yet.

        Raises:
            As call, where there is no usable answer.
        """
        try:
            return retrying.call(self.account, request, self.terms)
        except TokenRefused as refusal:
            self.observe(refusal.verdict)
            # An earlier attempt may have done it.
            if refusal.sent and _acts_once(request):
                raise ProviderOutcomeUnknown from None
            # 408: the call for a token did not arrive in time.
            raise (ProviderRejected() if refusal.status == 408 else refusal.verdict.refusal()) from None
        except CallFailed as failure:
            raise self._failure(request, failure) from failure

    def observe_status(self, answered: Answered) -> None:
        """Observe what an answer shows of the connection by its status alone, where no one else judges the answer.

        The caller chose the path. A refusal of credentials there does not prove that they do not work. So it changes
        the health only; a test alone can make the connection's status error.
        """
        verdict = answered.verdict
        if verdict.success or 200 <= answered.reply.status < 400:
            self.observe(WORKING)
        elif _is_about_call(answered.reply, verdict):
            return
        elif verdict.effect is Effect.REFUSED:
            self.observe(_REFUSED_SOMEWHERE)
        else:
            self.observe(verdict)

    def _failure(self, request: PlatformRequest, failure: CallFailed) -> PlatformFailure | ProviderOutcomeUnknown:
        """Return the error of a call without a usable answer."""
        verdict = judge(failure, address=self.account.address)
        self.observe(verdict)
        if failure.sent and _acts_once(request):
            return ProviderOutcomeUnknown()
        return verdict.refusal()

    def _refusal(
        self, request: PlatformRequest, reply: Reply, verdict: Verdict, *, in_doubt: bool = False
    ) -> PlatformFailure | ProviderOutcomeUnknown:
        """Return the error of an answer that is not a success.

        Args:
            request: that was answered.
            reply: the answer.
            verdict: on it.
            in_doubt: an earlier attempt of the call may have done what it asks for.
        """
        if verdict.error is None:
            # ACCEPTED is about the test call: judge an answer to another call by its status.
            verdict = judge(reply)
        late = _is_late(reply, verdict)
        if not _is_about_call(reply, verdict):
            self.observe(verdict)
        if verdict.effect in (Effect.BUSY, Effect.REFUSED):
            # The platform did not look at the call, so this says nothing about an earlier attempt.
            unknown = in_doubt and _acts_once(request)
            return ProviderOutcomeUnknown() if unknown else verdict.refusal()
        # A redirect, a time-out (408) and an error inside the platform do not say that nothing was done.
        doubtful = verdict.error is ProviderError or 300 <= reply.status < 400 or late
        if doubtful and _acts_once(request):
            return ProviderOutcomeUnknown()
        if verdict.error is ProviderRejected or late:
            return ProviderRejected()
        return verdict.refusal()


def _acts_once(request: PlatformRequest) -> bool:
    """Return whether a second request would do the same again, so that its outcome must be known."""
    return (request.repetition or retries.repetition_of(request.method)) != "repeatable"


def _is_late(reply: Reply, verdict: Verdict) -> bool:
    """Return whether the answer is a 408 without an error of the platform's own: the request did not arrive in time."""
    return reply.status == 408 and verdict.error is UnexpectedAnswer


def _is_about_call(reply: Reply, verdict: Verdict) -> bool:
    """Return whether an answer says something about this call, and nothing about the connection."""
    return verdict.error in (ProviderForbidden, ProviderRejected) or _is_late(reply, verdict)
