"""Errors of calls to a connection's platform.

Sentences and actions may contain {address} (the setting that holds the base URL) and {again} (what the caller does to
try again). PlatformFailure fills them in.
"""

from causeway.errors.requests import RateLimitExceeded
from causeway.errors.tree import CausewayError

# {again} of a call that the caller makes again as it is.
SEND_AGAIN = "send the same call again"


class PlatformFailure(CausewayError):
    """A call to a platform failed"""

    def __init__(
        self,
        sentence: str = "",
        *,
        action: str = "",
        address: str = "the base URL",
        again: str = SEND_AGAIN,
    ) -> None:
        """Make an error.

        Args:
            sentence: what happened, where the class's sentence is too general; as it is shown.
            action: what to do next, where the class's action is too general; it may contain {address} and {again}.
            address: the name of the setting that holds the base URL.
            again: what the caller does to try again.
        """
        super().__init__(sentence or (type(self).__doc__ or "").strip().replace("{address}", address))
        self.action = (action or type(self).action).replace("{address}", address).replace("{again}", again)


class InvalidCredentials(PlatformFailure):
    """The platform does not accept these credentials"""

    code = "INVALID_CREDENTIALS"
    status = 422
    action = "Copy the credentials from the platform's own page again; check that they are for this environment."


class ProviderForbidden(InvalidCredentials):
    """The platform knows these credentials, but they may not make this call"""

    code = "PROVIDER_FORBIDDEN"
    action = "Give the key or user the missing right on the platform, and check its list of allowed addresses."


class ConfigInvalid(PlatformFailure):
    """A setting or a secret of the connection cannot be used in a call"""

    code = "CONFIG_INVALID"
    status = 422
    action = (
        "Correct the field that the error names; where it names none, copy all values from the platform's own page "
        "again, without spaces or line breaks around them."
    )


class ConfigIncomplete(ConfigInvalid):
    """The configuration lacks a field that this call needs"""

    code = "CONFIG_INCOMPLETE"
    action = "Give the missing field; the template's set-up text says where to find it."


class AuthorizationRequired(ConfigIncomplete):
    """The connection waits for a person's authorization at the platform"""

    code = "AUTHORIZATION_REQUIRED"
    action = "Send POST to the connection's authorize, open the URL that it answers, and then send authorize/complete."


class BlockedAddress(ConfigInvalid):
    """The host in {address} has a private or reserved address, which is not called"""

    code = "BLOCKED_ADDRESS"
    action = "Give the platform's public base URL."


class DnsFailed(ConfigInvalid):
    """The host in {address} does not exist"""

    code = "DNS_FAILED"
    action = "Check the spelling of {address}."


class ConnectionFailed(PlatformFailure):
    """The platform could not be reached"""

    code = "CONNECTION_FAILED"
    status = 502
    retry = True
    action = (
        "Check the host and port in {address}, that the platform allows our addresses, and the platform's status page; "
        "then {again}."
    )


class DnsUnavailable(ConnectionFailed):
    """The host in {address} could not be looked up"""

    code = "DNS_UNAVAILABLE"
    action = "Wait a minute, then {again}; if it fails again, check the spelling of {address}."


class TlsFailed(ConnectionFailed):
    """No secure connection: the host's certificate is not trusted, not valid or another host's"""

    code = "TLS_FAILED"
    action = "Check {address}; if it is right, the platform must renew its certificate."


class ProviderError(ConnectionFailed):
    """The platform has an error of its own"""

    code = "PROVIDER_ERROR"
    action = "Wait a few minutes, then {again}; look at the platform's status page."


class UnexpectedAnswer(ConnectionFailed):
    """A server answered, but not as this platform does"""

    code = "UNEXPECTED_ANSWER"
    action = "Check {address}, the environment and the ids in the configuration."


class TimedOut(ConnectionFailed):
    """The platform did not answer in time"""

    code = "TIMED_OUT"
    status = 504
    action = "Wait a minute, then {again}; if it fails again, ask whether the platform must allow our addresses."


class ProviderRejected(PlatformFailure):
    """The platform does not accept the call"""

    code = "PROVIDER_REJECTED"
    status = 422
    action = (
        "Check the values that were sent, the ids in the configuration, {address} and the environment; the platform's "
        "answer is in the connection's logs."
    )


class RateLimited(PlatformFailure, RateLimitExceeded):
    """The platform refuses calls for now: too many were made"""

    code = "RATE_LIMITED"
    action = "Wait, then {again}."


class CircuitOpen(CausewayError):
    """The platform failed often in the last minute, so it is not called for a while"""

    code = "CIRCUIT_OPEN"
    status = 503
    retry = True
    action = "Wait for Retry-After seconds, then send the same call again; look at the connection's health and logs."

    def __init__(self, *, retry_after: int | None = None) -> None:
        """Make an error; retry_after: seconds until the platform is tried again, where they are known."""
        super().__init__()
        self.retry_after = retry_after


class ProviderOutcomeUnknown(CausewayError):
    """The platform may have done this or not: its answer did not arrive, or does not tell"""

    code = "PROVIDER_OUTCOME_UNKNOWN"
    status = 502
    action = "Look at the platform whether it was done, before sending the call again."
