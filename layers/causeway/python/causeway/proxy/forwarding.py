"""A proxied call: passed to a connection's platform, and the platform's answer passed back as it is."""

from collections.abc import Mapping
from dataclasses import dataclass

from causeway.catalogue.providers import Provider
from causeway.connections.call_log_writes import Logged
from causeway.connections.use import open_connection
from causeway.connections.work import Work
from causeway.edge.proxied import Outcome
from causeway.errors.platforms import ProviderOutcomeUnknown, UnexpectedAnswer
from causeway.errors.proxy import MOST_BYTES, AnswerTooLarge, SecretInAnswer
from causeway.errors.tree import CausewayError
from causeway.outbound import retries
from causeway.outbound.failures import TooLarge
from causeway.outbound.retries import Repetition
from causeway.platforms import registry
from causeway.platforms.kinds.repetition import RepetitionKeys
from causeway.platforms.retrying import Answered, PlatformRequest, Raw
from causeway.proxy import answer_headers, kept_secrets, request_headers
from causeway.proxy.requests import Forwarded
from causeway.tenancy.context import RequestContext

# Bytes of an answer's headers that are passed on: API Gateway takes 10240 with all of its own.
_MOST_OF_HEADERS = 8 * 1024


@dataclass(frozen=True, slots=True)
class PassedOn:
    """A platform's answer as it is passed on.

    Attributes:
        headers: by name in lower case, without content-type.
        content: as it arrived, maybe compressed.
        outcome: what it tells of the request.
    """

    status: int
    content_type: str
    headers: Mapping[str, str]
    content: bytes
    outcome: Outcome


def forward(context: RequestContext, request: Forwarded, logged: Logged) -> PassedOn:
    """Pass a request to a connection's platform, and return its answer, whatever its status.

    Args:
        context: who makes the call.
        request: the request.
        logged: is filled when the call ends, also where it fails.

    Raises:
        HeaderNotAllowed: a header or a parameter is the platform's credential; nothing is decrypted.
        SecretInAnswer: the answer has a secret of the connection; the request did nothing, or may be sent again.
        AnswerTooLarge: the answer cannot be passed on; the request did nothing, or may be sent again.
        UnexpectedAnswer: the status is none of HTTP.
        As open_connection, and as OpenAccount.call where there is no usable answer.
    """
    named = _Repetition(request)
    try:
        with open_connection(
            context, request.reference, Work.behind_http(), check=named.check, logged=logged
        ) as account:
            answered = account.send(
                PlatformRequest(
                    request.method,
                    request.path,
                    request.query,
                    request_headers.of_platform(account.account, request.headers) | dict(request.headers),
                    request.content,
                    named.repetition,
                    raw=Raw(request.encodings, MOST_BYTES),
                )
            )
            account.observe_status(answered)
    except (UnexpectedAnswer, ProviderOutcomeUnknown) as error:
        if isinstance(error.__cause__, TooLarge):
            raise _withheld(AnswerTooLarge, acts_once=named.repetition != "repeatable") from error
        raise
    return _passed_on(answered, named.repetition)


class _Repetition:
    """What a second request would do: known when the connection's platform is."""

    def __init__(self, request: Forwarded) -> None:
        self._request = request
        self.repetition: Repetition = retries.repetition_of(request.method)

    def check(self, provider: Provider) -> None:
        """Judge the request by its platform; raises HeaderNotAllowed."""
        headers = self._request.headers
        request_headers.check_credentials(headers, self._request.parameters, provider)
        keys = registry.find(provider.key, RepetitionKeys)
        if keys is None or self.repetition != "once":
            return
        if keys.idempotency_header().lower() in {name.lower() for name, value in headers.items() if value}:
            self.repetition = "keyed"


def _withheld(reason: type[CausewayError], *, acts_once: bool) -> CausewayError:
    """Return the error in place of an answer that is not passed on.

    Args:
        reason: why it is not.
        acts_once: the platform may have done what was asked, and a second request would do it twice.
    """
    if not acts_once:
        return reason()
    return ProviderOutcomeUnknown(
        f"{reason.__doc__}: the platform may have done this or not", action=ProviderOutcomeUnknown.action
    )


def _passed_on(answered: Answered, repetition: Repetition) -> PassedOn:
    reply, verdict = answered.reply, answered.verdict
    acts_once = repetition != "repeatable"
    outcome = _outcome(answered, acts_once=acts_once)
    if not 200 <= reply.status <= 599:
        raise ProviderOutcomeUnknown if acts_once else UnexpectedAnswer(f"The answer's status is {reply.status}")
    headers = _headers(answered, acts_once=acts_once)
    if kept_secrets.holds(reply.body, reply.headers.get("content-encoding", ""), answered.secrets):
        raise _withheld(SecretInAnswer, acts_once=acts_once and outcome != "repeatable")
    if verdict.retry_after is not None:
        headers.setdefault("retry-after", str(verdict.retry_after))
    content_type = headers.pop("content-type", "") or "application/octet-stream"
    return PassedOn(reply.status, content_type, headers, reply.body, outcome)


def _headers(answered: Answered, *, acts_once: bool) -> dict[str, str]:
    """Return the headers to pass on, without secrets; raises as _withheld if they are too large."""
    headers = answer_headers.passed_on(answered.reply.headers)
    # Checked before the search too: the search of megabytes takes seconds.
    if answer_headers.size(headers) <= _MOST_OF_HEADERS:
        headers = kept_secrets.redacted(headers, answered.secrets)
    if answer_headers.size(headers) > _MOST_OF_HEADERS:
        raise _withheld(AnswerTooLarge, acts_once=acts_once)
    return headers


def _outcome(answered: Answered, *, acts_once: bool) -> Outcome:
    status = answered.reply.status
    if status < 400:
        return "done"
    # A refusal says that this attempt did nothing, and nothing about an earlier one.
    told = status < 500 and status != 408 and not answered.in_doubt
    return "repeatable" if told or not acts_once else "unknown"
