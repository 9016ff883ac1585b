"""Verdicts: the error and the next action that follow from the outcome of a call to a platform."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from math import ceil
from types import MappingProxyType
from typing import Any, Literal

from causeway.errors.platforms import (
    SEND_AGAIN,
    AuthorizationRequired,
    BlockedAddress,
    ConfigIncomplete,
    ConfigInvalid,
    ConnectionFailed,
    DnsFailed,
    DnsUnavailable,
    InvalidCredentials,
    PlatformFailure,
    ProviderError,
    ProviderForbidden,
    ProviderRejected,
    RateLimited,
    TimedOut,
    TlsFailed,
    UnexpectedAnswer,
)
from causeway.outbound import failures
from causeway.outbound.failures import CallFailed
from causeway.outbound.replies import Reply
from causeway.platforms import signals
from causeway.platforms.failures import AuthorizationMissing, SettingMissing
from causeway.platforms.kinds.errors import ACCEPTED, Error, ErrorReader, Meaning
from causeway.platforms.kinds.limits import Signal


class Effect(Enum):
    """The effect of a verdict on a connection: causeway.connections sets status and health by it."""

    GOOD = "the credentials work"
    REFUSED = "the platform does not accept the credentials, or not for this call"
    UNUSABLE = "no call can be made with this configuration"
    UNAUTHORIZED = "no call can be made until a person authorizes the connection"
    BUSY = "the platform works and asks to wait"
    PASSING = "a fault that may pass by itself"


# The errors that a verdict can have, with their effects on the connection.
_EFFECTS: Mapping[type[PlatformFailure], Effect] = MappingProxyType(
    {
        InvalidCredentials: Effect.REFUSED,
        ProviderForbidden: Effect.REFUSED,
        RateLimited: Effect.BUSY,
        ProviderError: Effect.PASSING,
        # A wrong address gives it as well, where another server answers.
        ProviderRejected: Effect.PASSING,
        UnexpectedAnswer: Effect.PASSING,
        AuthorizationRequired: Effect.UNAUTHORIZED,
        ConfigIncomplete: Effect.UNUSABLE,
        ConfigInvalid: Effect.UNUSABLE,
        DnsFailed: Effect.PASSING,
        DnsUnavailable: Effect.PASSING,
        TlsFailed: Effect.PASSING,
        TimedOut: Effect.PASSING,
        BlockedAddress: Effect.UNUSABLE,
        ConnectionFailed: Effect.PASSING,
    }
)
# Their codes, for the refusals that a route declares.
VERDICTS = tuple(error.code for error in _EFFECTS)

# Error for each kind of CallFailed; the first match wins, default ConnectionFailed.
_FAILURES: tuple[tuple[type[CallFailed], type[PlatformFailure]], ...] = (
    (failures.AddressBlocked, BlockedAddress),
    (failures.DnsFailed, DnsFailed),
    (failures.DnsUnavailable, DnsUnavailable),
    (failures.TlsFailed, TlsFailed),
    (failures.TimedOut, TimedOut),
    (failures.TooLarge, UnexpectedAnswer),
    (failures.Garbled, UnexpectedAnswer),
    (AuthorizationMissing, AuthorizationRequired),
    (SettingMissing, ConfigIncomplete),
    (failures.RequestInvalid, ConfigInvalid),
)
_STATUSES: Mapping[int, type[PlatformFailure]] = MappingProxyType(
    {401: InvalidCredentials, 403: ProviderForbidden, 429: RateLimited}
)
# The longest wait in seconds that is passed on.
_LONGEST_WAIT = 24 * 3600


@dataclass(frozen=True, slots=True)
class Verdict:
    """The conclusion from the outcome of a call.

    Attributes:
        error: the class of the error that the call ends with; None: the credentials work.
        message: a sentence about the outcome.
        action: a sentence about the next action; {again} stands for the call to repeat, as "test again".
        retry_after: seconds that the platform asks to wait, where it says so.
        tested: names of the secrets that a successful test used.
        untested: names of the secrets that the test call does not use.
    """

    error: type[PlatformFailure] | None
    message: str
    action: str
    retry_after: int | None = None
    tested: tuple[str, ...] = ()
    untested: tuple[str, ...] = ()

    @property
    def code(self) -> str:
        """The error's code; CONNECTED for a success."""
        return "CONNECTED" if self.error is None else self.error.code

    @property
    def effect(self) -> Effect:
        """The effect on the connection."""
        return Effect.GOOD if self.error is None else _EFFECTS[self.error]

    @property
    def success(self) -> bool:
        """Whether the credentials work."""
        return self.error is None

    @property
    def next_action(self) -> str:
        """The next action for a connection whose state the verdict sets."""
        return self.action.replace("{again}", "test again")

    @property
    def sentences(self) -> str:
        """The message and the next action, as one text."""
        return f"{self.message} {self.next_action}"

    def refusal(self, again: str = SEND_AGAIN) -> PlatformFailure:
        """Return the error of a verdict that is not a success, with the next action and the wait.

        Args:
            again: the words for {again}.
        """
        if self.error is None:
            raise ValueError("a success is not an error")
        refusal = self.error(self.message, action=self.action, again=again)
        if self.retry_after is not None:
            refusal.retry_after = self.retry_after
        return refusal


# Of a call that succeeded.
WORKING = Verdict(None, "The platform accepts these credentials.", "Nothing to do; the connection is active.")


def judge(
    outcome: Reply | CallFailed,
    reader: ErrorReader | None = None,
    address: str = "the base URL",
    signal: Signal | None = None,
) -> Verdict:
    """Return the verdict on the outcome of a call. This reads and writes nothing.

    Args:
        outcome: the answer that the call returned, or the failure that it raised.
        reader: of the platform's own errors, if it has one.
        address: the name of the setting that holds the base URL, for the message.
        signal: what the answer tells of the platform's limits; None: only its general headers are read.
    """
    if isinstance(outcome, CallFailed):
        return _of_failure(outcome, address)
    told = signals.read(outcome, None) if signal is None else signal
    meaning = RateLimited if told.throttled else _meaning(outcome, reader)
    if meaning == ACCEPTED:
        return WORKING
    return _of_meaning(meaning, told.asked, address)


def judge_status(status: int, wait: float | None = None) -> Verdict:
    """Return the verdict on an answer of which no more is known than its status, which is no success.

    Args:
        status: the HTTP status.
        wait: seconds that the answer asks to wait; None: it does not say.
    """
    meaning = _by_status(status, None)
    if meaning == ACCEPTED:
        raise ValueError("a success is judged by its content")
    return _of_meaning(meaning, wait, "the base URL")


def stated_error(reply: Reply, reader: ErrorReader | None) -> Error | None:
    """Return the error that a platform's own reader finds in an answer; None if it finds none."""
    if reader is None:
        return None
    meaning = _stated(reply.status, reply.json(), reader)
    return None if meaning == ACCEPTED else meaning


def _of_meaning(meaning: type[PlatformFailure], wait: float | None, address: str) -> Verdict:
    seconds = _whole_seconds(wait) if meaning in (RateLimited, ProviderError) else None
    action = "" if seconds is None else f"Wait {seconds} seconds, then {{again}}."
    return _verdict(meaning, address, action=action, retry_after=seconds)


def _of_failure(failure: CallFailed, address: str) -> Verdict:
    """Return the verdict on a call without an answer. It repeats the reason that the failure names."""
    error = next((error for kind, error in _FAILURES if isinstance(failure, kind)), ConnectionFailed)
    if isinstance(failure, failures.AddressInvalid):
        # The name begins a sentence; a field's own name stays in lower case.
        subject = f"T{address[1:]}" if address.startswith("the ") else address
        action = "Correct {address}: give the platform's own https:// address."
        return _verdict(error, address, f"{subject} {failure}", action)
    if isinstance(failure, SettingMissing):
        return _verdict(error, address, str(failure), failure.action)
    return _verdict(error, address)


def _verdict(
    error: type[PlatformFailure],
    address: str,
    sentence: str = "",
    action: str = "",
    retry_after: int | None = None,
) -> Verdict:
    made = error(sentence, action=action, address=address, again="{again}")
    return Verdict(error, f"{made.sentence}.", made.action, retry_after)


def _meaning(reply: Reply, reader: ErrorReader | None) -> type[PlatformFailure] | Literal["accepted"]:
    """Return the meaning of an answer: by the platform's own reader, otherwise by its status."""
    content = reply.json()
    meaning = None if reader is None else _stated(reply.status, content, reader)
    return _by_status(reply.status, content) if meaning is None else meaning


def _stated(status: int, content: Any, reader: ErrorReader) -> Meaning | None:
    """Return the meaning of an answer by the platform's own reader, which reads JSON objects only."""
    return reader.read_error(status, content) if isinstance(content, dict) else None


def _by_status(status: int, content: Any) -> type[PlatformFailure] | Literal["accepted"]:
    if status in _STATUSES:
        return _STATUSES[status]
    if status >= 500:
        return ProviderError
    # 408 means that the request did not arrive in time, not that the platform refuses it.
    if 400 <= status != 408:
        return ProviderRejected
    if 200 <= status < 300 and isinstance(content, (dict, list)):
        return ACCEPTED
    return UnexpectedAnswer


def _whole_seconds(wait: float | None) -> int | None:
    """Return a wait in whole seconds, after which the platform can be called; None if there is none."""
    return None if wait is None else min(ceil(wait), _LONGEST_WAIT)
