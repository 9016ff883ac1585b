"""Errors of calls to a connection's platform."""

from causeway.errors.requests import RateLimitExceeded
from causeway.errors.tree import CausewayError


class InvalidCredentials(CausewayError):
    """The platform refused the credentials"""

    code = "INVALID_CREDENTIALS"
    status = 422
    action = "Correct the credentials; the working ones, if any, stay in use."


class ProviderForbidden(InvalidCredentials):
    """The platform knows the credentials, but they may not make this call"""

    code = "PROVIDER_FORBIDDEN"
    action = "Give the key or user the missing right on the platform, and check its list of allowed addresses."


class ConfigInvalid(CausewayError):
    """A setting or a secret cannot be used in a call"""

    code = "CONFIG_INVALID"
    status = 422
    action = "Correct the field the error names."


class ConfigIncomplete(ConfigInvalid):
    """The call needs a field that the configuration does not have"""

    code = "CONFIG_INCOMPLETE"
    action = "Give the field the error names."


class BlockedAddress(ConfigInvalid):
    """The address is private or reserved, and is not called"""

    code = "BLOCKED_ADDRESS"
    action = "Give the platform's public base URL."


class DnsFailed(ConfigInvalid):
    """There is no host of this name"""

    code = "DNS_FAILED"
    action = "Check the spelling of the base URL."


class ConnectionFailed(CausewayError):
    """The platform could not be reached"""

    code = "CONNECTION_FAILED"
    status = 502
    retry = True
    action = "Check the address and the platform's status, then try again."


class DnsUnavailable(ConnectionFailed):
    """The host's name could not be looked up"""

    code = "DNS_UNAVAILABLE"
    action = "Try again in a minute; if it stays so, check the spelling of the base URL."


class TlsFailed(ConnectionFailed):
    """The platform's certificate is not trusted, not valid or another host's"""

    code = "TLS_FAILED"
    action = "Check the base URL; if it is right, the platform must renew its certificate."


class ProviderError(ConnectionFailed):
    """The platform has an error of its own"""

    code = "PROVIDER_ERROR"
    action = "Try again in a few minutes, or after Retry-After; look at the platform's status page."


class UnexpectedAnswer(ConnectionFailed):
    """A server answered, but not like this platform"""

    code = "UNEXPECTED_ANSWER"
    action = "Check the base URL, the environment and the ids in the configuration."


class TimedOut(ConnectionFailed):
    """The platform did not answer in time"""

    code = "TIMED_OUT"
    status = 504
    action = "Try again; if it stays so, ask whether the platform must allow our addresses."


class ProviderRejected(CausewayError):
    """The platform did not accept the request"""

    code = "PROVIDER_REJECTED"
    status = 422
    action = "Check the ids and times; the platform's answer is in the connection's logs."


class RateLimited(RateLimitExceeded):
    """The platform refuses calls for now: too many were made"""

    code = "RATE_LIMITED"


class ProviderOutcomeUnknown(CausewayError):
    """The platform may have done this or not: its answer did not arrive, or does not tell"""

    code = "PROVIDER_OUTCOME_UNKNOWN"
    status = 502
    action = "Look at the platform whether it was done, before sending the call again."
