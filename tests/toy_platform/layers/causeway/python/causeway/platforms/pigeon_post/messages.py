"""Messages of Pigeon Post."""

import json

from causeway.platforms.kinds.messages import Message
from causeway.platforms.open_account import OpenAccount


def send_message(account: OpenAccount, message: Message) -> str:
    """Send a message from the connection's loft; raises as Sender says."""
    path = f"/lofts/{account.field('loft')}/flights"
    reply = account.call("POST", path, content={"destination": message.to, "note": message.text})
    return str(json.loads(reply.body)["flight"])
