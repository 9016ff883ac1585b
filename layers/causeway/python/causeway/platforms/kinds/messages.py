"""messages.py of a platform: messages sent to people."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from causeway.platforms.open_account import OpenAccount


@dataclass(frozen=True, slots=True)
class Message:
    """A text for one person.

    Attributes:
        to: the address in the platform's form, such as a phone number.
    """

    to: str
    text: str


class Sender(Protocol):
    """The module messages.py of a platform that sends messages."""

    def send_message(self, account: "OpenAccount", message: Message) -> str:
        """Send a message and return the id that the platform gave it; raises what OpenAccount.call raises.

        Raises:
            ProviderOutcomeUnknown: the message may be sent or not.
        """
