"""What the answer to a connection's test call means, and what its owner should do next."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from causeway.outbound.calls import Reply
from causeway.outbound.failures import (
    AddressBlocked,
    CallFailed,
    DnsFailed,
    Garbled,
    RequestInvalid,
    TimedOut,
    TlsFailed,
    TooLarge,
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of a test call. retry_after: seconds the platform asks to wait, where it says so."""

    code: str
    success: bool
    message: str
    next_action: str
    retry_after: int | None = None

    @property
    def about_credentials(self) -> bool:
        """Whether the platform refused because of who calls."""
        return self.code in ("INVALID_CREDENTIALS", "FORBIDDEN")

    @property
    def sentences(self) -> str:
        """What happened and what to do next, for one text."""
        return f"{self.message} {self.next_action}"


# Per code: the sentence and what to do next.
_SENTENCES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "CONNECTED": ("The platform accepts these credentials.", "Nothing to do; the connection is active."),
        "INVALID_CREDENTIALS": (
            "The platform does not accept these credentials.",
            "Copy the credentials from the platform's own page again; check that they are for this environment.",
        ),
        "FORBIDDEN": (
            "The platform knows these credentials, but they may not make this call.",
            "Give the key or user the missing right on the platform, and check its list of allowed addresses.",
        ),
        "RATE_LIMITED": ("The platform refuses calls for now: too many were made.", "Wait, then test again."),
        "PROVIDER_ERROR": (
            "The platform has an error of its own.",
            "Test again in a few minutes; look at the platform's status page.",
        ),
        "UNEXPECTED_ANSWER": (
            "A server answered, but not like this platform.",
            "Check the base URL, the environment and the ids in the configuration.",
        ),
        "CONFIG_INCOMPLETE": (
            "The call cannot be made with this configuration.",
            "Fill in what the template's set-up text asks for; a platform without a public address needs its base_url.",
        ),
        "DNS_FAILED": ("The host's name does not resolve.", "Check the spelling of the base URL."),
        "TLS_FAILED": (
            "No secure connection: the host's certificate is not trusted, not valid or another host's.",
            "Check the base URL; if it is right, the platform must renew its certificate.",
        ),
        "TIMED_OUT": (
            "The platform did not answer in time.",
            "Test again; if it stays so, ask whether the platform must allow our addresses.",
        ),
        "BLOCKED_ADDRESS": (
            "The host's address is private or reserved, and is not called.",
            "Give the platform's public base URL.",
        ),
        "CONNECTION_FAILED": (
            "No connection to the platform.",
            "Check the host and port of the base URL, and that the platform allows our addresses.",
        ),
    }
)

_FAILURES: tuple[tuple[type[CallFailed], str], ...] = (
    (AddressBlocked, "BLOCKED_ADDRESS"),
    (DnsFailed, "DNS_FAILED"),
    (TlsFailed, "TLS_FAILED"),
    (TimedOut, "TIMED_OUT"),
    (TooLarge, "UNEXPECTED_ANSWER"),
    (Garbled, "UNEXPECTED_ANSWER"),
    (RequestInvalid, "CONFIG_INCOMPLETE"),
)

_STATUSES: Mapping[int, str] = MappingProxyType({401: "INVALID_CREDENTIALS", 403: "FORBIDDEN", 429: "RATE_LIMITED"})


def judge(outcome: Reply | CallFailed, provider: str = "") -> Verdict:
    """Return what the outcome of a test call means.

    Args:
        outcome: what outbound.call returned or raised.
        provider: the catalogue's key; some platforms tell their errors in the body alone.
    """
    if isinstance(outcome, CallFailed):
        code = next((code for failure, code in _FAILURES if isinstance(outcome, failure)), "CONNECTION_FAILED")
        return _verdict(code)
    code = _code(outcome, provider)
    if code == "RATE_LIMITED":
        return _verdict(code, _seconds(outcome.headers.get("Retry-After", "")))
    return _verdict(code)


def _verdict(code: str, retry_after: int | None = None) -> Verdict:
    message, action = _SENTENCES[code]
    if retry_after is not None:
        action = f"Wait {retry_after} seconds, then test again."
    return Verdict(code, code == "CONNECTED", message, action, retry_after)


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
    if 200 <= reply.status < 300 and isinstance(content, (dict, list)):
        return "CONNECTED"
    return "UNEXPECTED_ANSWER"


def _seconds(value: str) -> int | None:
    return int(value) if value.isascii() and value.isdecimal() and len(value) < 10 else None


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
        return "FORBIDDEN"
    if code in (1, 2):
        return "PROVIDER_ERROR"
    return None


def _aramex(status: int, content: dict[str, Any]) -> str | None:
    """Errors come with status 200; a refused account is ERR01. A shipment that does not exist is no error."""
    if status != 200 or content.get("HasErrors") is not True:
        return None
    notifications = content.get("Notifications")
    codes = [found.get("Code") for found in notifications or () if isinstance(found, dict)]
    return "INVALID_CREDENTIALS" if "ERR01" in codes else "UNEXPECTED_ANSWER"


def _telr(status: int, content: dict[str, Any]) -> str | None:
    """Errors come with status 200. The test asks for an order that does not exist: only that error is welcome."""
    error = content.get("error")
    if status != 200 or not isinstance(error, dict):
        return None
    text = f"{error.get('message', '')} {error.get('note', '')}".lower()
    if "order" in text and "not found" in text:
        return "CONNECTED"
    return "INVALID_CREDENTIALS" if any(word in text for word in ("auth", "store", "key")) else "UNEXPECTED_ANSWER"


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
