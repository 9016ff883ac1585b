"""Why a call got no usable answer: one class for each cause that a person would treat differently."""


class CallFailed(Exception):
    """The call got no usable answer; the text says why, for the log. sent: the request may have come there."""

    sent = False


class RequestInvalid(CallFailed):
    """The URL or a header cannot be sent"""


class DnsFailed(CallFailed):
    """The host's name does not resolve"""


class AddressBlocked(CallFailed):
    """The host resolves to an address that is not to be called"""


class ConnectFailed(CallFailed):
    """Nothing accepts connections there, or the connection broke before an answer"""


class TlsFailed(CallFailed):
    """No secure connection: the certificate is not trusted, not valid or another host's"""


class TimedOut(CallFailed):
    """No complete answer within the budget"""


class TooLarge(CallFailed):
    """The answer is larger than the cap"""


class Garbled(CallFailed):
    """The answer is not HTTP, or breaks off, or cannot be decompressed"""
