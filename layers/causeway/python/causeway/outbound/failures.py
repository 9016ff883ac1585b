"""Why a call got no usable answer: one class for each cause that a person would treat differently."""

# Characters of a text for the log: what a stranger's certificate or resolver says may be of any length.
_MOST_CHARACTERS = 300


class CallFailed(Exception):
    """The call got no usable answer; the text says why, for the log.

    sent: a byte of the request was sent, so what it asks for may be done, whatever broke afterwards.
    """

    sent = False

    def __init__(self, why: str = "") -> None:
        super().__init__("".join(one if one.isprintable() else "?" for one in why[:_MOST_CHARACTERS]))


class RequestInvalid(CallFailed):
    """A header or another part of the request cannot be sent"""


class ConfigLacks(RequestInvalid):
    """The request needs what the configuration does not have; the text says what, and is told to the owner.

    action: what the owner does next.
    """

    def __init__(self, why: str = "", action: str = "Give the field in the connection's config.") -> None:
        super().__init__(why)
        self.action = action


class AddressInvalid(RequestInvalid):
    """The address is none that is called; the text goes on after the address's name, and is told to the owner"""


class DnsFailed(CallFailed):
    """There is no host of this name"""


class DnsUnavailable(CallFailed):
    """The host's name could not be looked up; it may exist"""


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
