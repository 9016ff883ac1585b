"""The failures of a call that cannot be made: the connection's configuration is incomplete."""

from causeway.outbound.failures import RequestInvalid


class SettingMissing(RequestInvalid):
    """The call needs a setting that the connection's configuration does not have.

    The text says which; the connection's owner sees it.

    Args:
        why: the missing setting, as a sentence.
        action: what the owner does next.
    """

    def __init__(self, why: str, action: str) -> None:
        super().__init__(why)
        self.action = action


class AuthorizationMissing(SettingMissing):
    """The call needs a setting that a person's authorization at the platform fills."""
