"""What the answer to a connection's test call means, and what its owner should do next."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum
from math import ceil
from types import MappingProxyType
from typing import Any

from causeway.errors import table
from causeway.errors.tree import CausewayError
from causeway.outbound.failures import (
    AddressBlocked,
    AddressInvalid,
    CallFailed,
    DnsFailed,
    DnsUnavailable,
    Garbled,
    RequestInvalid,
    TimedOut,
    TlsFailed,
    TooLarge,
)
from causeway.outbound.replies import Reply
from causeway.platforms.failures import SettingMissing


class Finding(Enum):
    """What a verdict says about a connection; causeway.connections decides by it what becomes of status and health."""

    GOOD = "the credentials work"
    REFUSED = "the platform does not accept the credentials, or not for the test"
    UNUSABLE = "no call can be made with this configuration"
    BUSY = "the platform is well and asks to wait"
    PASSING = "a fault that may pass by itself"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of a test call. retry_after: seconds the platform asks to wait, where it says so."""

    code: str
    message: str
    # {again}: what is done again.
    action: str
    finding: Finding
    retry_after: int | None = None
    # Names of the secrets that the call proved, and of those that it does not use; of a success alone.
    tested: tuple[str, ...] = ()
    untested: tuple[str, ...] = ()

    @property
    def success(self) -> bool:
        """Whether the credentials work."""
        return self.finding is Finding.GOOD

    @property
    def next_action(self) -> str:
        """What to do next about a connection as it is."""
        return self._to_do("test again")

    @property
    def sentences(self) -> str:
        """What happened and what to do next, for one text."""
        return f"{self.message} {self.next_action}"

    def _to_do(self, again: str) -> str:
        return self.action.replace("{again}", again)

    def error(self, again: str = "send the same call again") -> CausewayError:
        """Return the error of this verdict's code, with the next action and the wait that the platform asks for.

        Args:
            again: what the caller does to try again, for a sentence.
        """
        error = table.of_code(self.code)(self.message)
        error.action = self._to_do(again)
        if self.retry_after is not None:
            error.retry_after = self.retry_after
        return error


# Per code: what it says about the connection, the sentence, and what to do next. {address} names the setting that the
# address stands in, {again} what is done again. causeway.errors has an error of each code but CONNECTED.
_MEANINGS: Mapping[str, tuple[Finding, str, str]] = MappingProxyType(
    {
        "CONNECTED": (
            Finding.GOOD,
            "The platform accepts these credentials.",
            "Nothing to do; the connection is active.",
        ),
        "INVALID_CREDENTIALS": (
            Finding.REFUSED,
            "The platform does not accept these credentials.",
            "Copy the credentials from the platform's own page again; check that they are for this environment.",
        ),
        "PROVIDER_FORBIDDEN": (
            Finding.REFUSED,
            "The platform knows these credentials, but they may not make this call.",
            "Give the key or user the missing right on the platform, and check its list of allowed addresses.",
        ),
        "RATE_LIMITED": (
            Finding.BUSY,
            "The platform refuses calls for now: too many were made.",
            "Wait, then {again}.",
        ),
        "PROVIDER_ERROR": (
            Finding.PASSING,
            "The platform has an error of its own.",
            "Wait a few minutes, then {again}; look at the platform's status page.",
        ),
        # It may be the address's, where another server answers: that does not show.
        "PROVIDER_REJECTED": (
            Finding.PASSING,
            "The platform does not accept the call.",
            "Check the ids in the configuration, {address} and the environment; the answer stands in its logs.",
        ),
        "UNEXPECTED_ANSWER": (
            Finding.PASSING,
            "A server answered, but not like this platform.",
            "Check {address}, the environment and the ids in the configuration.",
        ),
        "CONFIG_INCOMPLETE": (
            Finding.UNUSABLE,
            "The call cannot be made with this configuration.",
            "Give what is missing; the template's set-up text says where to find it.",
        ),
        "CONFIG_INVALID": (
            Finding.UNUSABLE,
            "A setting or a secret has characters that no request can carry.",
            "Copy the values from the platform's own page again, without spaces or line breaks around them.",
        ),
        "DNS_FAILED": (
            Finding.PASSING,
            "There is no host of the name in {address}.",
            "Check the spelling of {address}.",
        ),
        "DNS_UNAVAILABLE": (
            Finding.PASSING,
            "The host's name in {address} could not be looked up.",
            "Wait a minute, then {again}; if it stays so, check the spelling of {address}.",
        ),
        "TLS_FAILED": (
            Finding.PASSING,
            "No secure connection: the host's certificate is not trusted, not valid or another host's.",
            "Check {address}; if it is right, the platform must renew its certificate.",
        ),
        "TIMED_OUT": (
            Finding.PASSING,
            "The platform did not answer in time.",
            "Wait a minute, then {again}; if it stays so, ask whether the platform must allow our addresses.",
        ),
        "BLOCKED_ADDRESS": (
            Finding.UNUSABLE,
            "The host in {address} has an address that is private or reserved, and is not called.",
            "Give the platform's public base URL.",
        ),
        "CONNECTION_FAILED": (
            Finding.PASSING,
            "No connection to the platform.",
            "Check the host and port in {address}, and that the platform allows our addresses.",
        ),
    }
)

# The codes of the errors that a verdict can be, as `refuses` of a route takes them.
VERDICTS = tuple(code for code, (finding, _, _) in _MEANINGS.items() if finding is not Finding.GOOD)

_FAILURES: tuple[tuple[type[CallFailed], str], ...] = (
    (AddressBlocked, "BLOCKED_ADDRESS"),
    (DnsFailed, "DNS_FAILED"),
    (DnsUnavailable, "DNS_UNAVAILABLE"),
    (TlsFailed, "TLS_FAILED"),
    (TimedOut, "TIMED_OUT"),
    (TooLarge, "UNEXPECTED_ANSWER"),
    (Garbled, "UNEXPECTED_ANSWER"),
    (SettingMissing, "CONFIG_INCOMPLETE"),
    (RequestInvalid, "CONFIG_INVALID"),
)

_STATUSES: Mapping[int, str] = MappingProxyType(
    {401: "INVALID_CREDENTIALS", 403: "PROVIDER_FORBIDDEN", 429: "RATE_LIMITED"}
)
# Seconds of a wait that is passed on, at most.
_LONGEST_WAIT = 24 * 3600


def judge(outcome: Reply | CallFailed, provider: str = "", address: str = "the base URL") -> Verdict:
    """Return what the outcome of a call means.

    Args:
        outcome: what outbound.client.send returned or raised.
        provider: the catalogue's key; some platforms tell their errors in the body alone.
        address: what the owner knows the setting by that the address stands in.
    """
    if isinstance(outcome, CallFailed):
        code = next((code for failure, code in _FAILURES if isinstance(outcome, failure)), "CONNECTION_FAILED")
        told, action = _told(outcome, address)
        return _verdict(code, address, told=told, action=action)
    code = _code(outcome, provider)
    if code in ("RATE_LIMITED", "PROVIDER_ERROR"):
        seconds = _seconds(outcome.headers.get("Retry-After", ""))
        action = "" if seconds is None else f"Wait {seconds} seconds, then {{again}}."
        return _verdict(code, address, retry_after=seconds, action=action)
    return _verdict(code, address)


def _told(failure: CallFailed, address: str) -> tuple[str, str]:
    """What the owner is told instead of the general sentence and action, where the failure names what is wrong."""
    if isinstance(failure, AddressInvalid):
        return f"{_capitalised(address)} {failure}.", f"Correct {address}: give the platform's own https:// address."
    return (f"{failure}.", failure.action) if isinstance(failure, SettingMissing) else ("", "")


def _capitalised(address: str) -> str:
    """The name at the beginning of a sentence; a field's own name stays as it is."""
    return f"T{address[1:]}" if address.startswith("the ") else address


def _verdict(code: str, address: str, retry_after: int | None = None, told: str = "", action: str = "") -> Verdict:
    finding, message, general = _MEANINGS[code]
    return Verdict(
        code,
        told or message.format(address=address),
        action or general.replace("{address}", address),
        finding,
        retry_after,
    )


# Of a call other than a test that was answered with 2xx.
WORKING = _verdict("CONNECTED", "")


def _code(reply: Reply, provider: str) -> str:
    try:
        content = json.loads(reply.body)
    except (ValueError, RecursionError):
        content = None
    reader = _READERS.get(provider)
    if reader is not None and isinstance(content, dict):
        code = reader(reply.status, content)
        if code is not None:
            return code
    if reply.status in _STATUSES:
        return _STATUSES[reply.status]
    if reply.status >= 500:
        return "PROVIDER_ERROR"
    # 408 says that the call did not come there in time, and nothing of the call.
    if 400 <= reply.status != 408:
        return "PROVIDER_REJECTED"
    if 200 <= reply.status < 300 and isinstance(content, (dict, list)):
        return "CONNECTED"
    return "UNEXPECTED_ANSWER"


def _seconds(value: str) -> int | None:
    """The seconds of a Retry-After, given so or as a date (RFC 9110, 10.2.3); None where it says neither."""
    if value.isascii() and value.isdecimal() and len(value) < 10:
        return min(int(value), _LONGEST_WAIT)
    try:
        until = parsedate_to_datetime(value)
        left = (until - datetime.now(UTC)).total_seconds()
    # A date without a zone cannot be compared; one out of range overflows.
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(ceil(left), 0), _LONGEST_WAIT)


def _graph(_: int, content: dict[str, Any]) -> str | None:
    """Meta's Graph API, whose status is often 400 whatever is wrong.

    https://developers.facebook.com/docs/graph-api/guides/error-handling
    """
    error = content.get("error")
    code = error.get("code") if isinstance(error, dict) else None
    if not isinstance(code, int):
        return None
    if code in (102, 190):
        return "INVALID_CREDENTIALS"
    if code in (4, 17, 32, 613, 80007, 130429) or 80000 <= code <= 80014:
        return "RATE_LIMITED"
    if code == 10 or 200 <= code <= 299:
        return "PROVIDER_FORBIDDEN"
    if code in (1, 2):
        return "PROVIDER_ERROR"
    return None


def _aramex(status: int, content: dict[str, Any]) -> str | None:
    """Errors come with status 200; a refused account is ERR01. A shipment that does not exist is no error."""
    if status != 200 or content.get("HasErrors") is not True:
        return None
    notifications = content.get("Notifications")
    codes = [found.get("Code") for found in notifications or () if isinstance(found, dict)]
    return "INVALID_CREDENTIALS" if "ERR01" in codes else "PROVIDER_REJECTED"


def _telr(status: int, content: dict[str, Any]) -> str | None:
    """Errors come with status 200. The test asks for an order that does not exist: only that error is welcome."""
    error = content.get("error")
    if status != 200 or not isinstance(error, dict):
        return None
    text = f"{error.get('message', '')} {error.get('note', '')}".lower()
    if "order" in text and "not found" in text:
        return "CONNECTED"
    return "INVALID_CREDENTIALS" if any(word in text for word in ("auth", "store", "key")) else "PROVIDER_REJECTED"


_READERS: Mapping[str, Callable[[int, dict[str, Any]], str | None]] = MappingProxyType(
    {
        "whatsapp_business": _graph,
        "facebook": _graph,
        "instagram": _graph,
        "facebook_ads": _graph,
        "aramex": _aramex,
        "telr": _telr,
    }
)
