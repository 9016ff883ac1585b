"""Failures of calls without a usable answer: one class per cause that needs its own next action."""

# Characters of a text for the log: it may quote an untrusted certificate of any length.
_MOST_CHARACTERS = 300


class CallFailed(Exception):
    """The call got no usable answer; the text says why, for the log.

    sent: a byte of the request was sent, so the platform may have carried it out, whatever failed afterwards.
    """

    sent = False

    def __init__(self, why: str) -> None:
        super().__init__("".join(one if one.isprintable() else "?" for one in why[:_MOST_CHARACTERS]))


class RequestInvalid(CallFailed):
    """A header or another part of the request cannot be sent"""


class AddressInvalid(RequestInvalid):
    """The URL must not be called. The text continues a sentence that begins with the URL's name; the owner sees it"""


class DnsFailed(CallFailed):
    """No host has this name"""


class DnsUnavailable(CallFailed):
    """The resolver failed; the host's name may exist"""


class AddressBlocked(CallFailed):
    """The host resolves to a blocked address"""


class ConnectFailed(CallFailed):
    """Nothing accepts connections there, or the connection broke before an answer"""


class TlsFailed(CallFailed):
    """No secure connection: the certificate is not trusted, not valid or belongs to another host"""


class TimedOut(CallFailed):
    """No complete answer within the budget"""


class OutOfTime(TimedOut):
    """No time was left before the request was sent: nothing was sent, and nothing is known of the platform"""


class TooLarge(CallFailed):
    """The answer is larger than the limit"""


class Garbled(CallFailed):
    """The answer is not HTTP, is incomplete or cannot be decompressed"""
