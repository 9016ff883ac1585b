"""Messages of Pigeon Post."""

from causeway.errors.platforms import ProviderOutcomeUnknown
from causeway.errors.requests import InvalidRequest
from causeway.platforms.kinds.messages import Message
from causeway.platforms.open_account import OpenAccount
from causeway.wire import strict_json
from causeway.wire.field_readers import id_field


def send_message(account: OpenAccount, message: Message) -> str:
    """Send a message from the connection's loft; raises as Sender says."""
    path = f"/lofts/{account.field('loft')}/flights"
    reply = account.call("POST", path, content={"destination": message.to, "note": message.text})
    try:
        return str(id_field(strict_json.parse_object(reply.body), "flight"))
    except InvalidRequest as error:
        raise ProviderOutcomeUnknown from error
