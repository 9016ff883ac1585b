"""Errors of Telr, which come with a status of success."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from causeway.errors.platforms import InvalidCredentials, ProviderError, ProviderRejected
from causeway.platforms.kinds.errors import ACCEPTED, Error, Meaning

# A message begins with its code: "E04:Invalid store ID".
_CODE = re.compile(r"E0*([0-9]{1,3})\b")
# Codes that do not only refuse the request: an invalid store ID; no connection to the service provider, a timeout at
# the payment processor, an internal error, an unknown error
# (https://docs.telr.com/reference/authorisation-response-codes).
_CODES: Mapping[str, Error] = MappingProxyType(
    {"4": InvalidCredentials, **dict.fromkeys(("58", "78", "98", "99"), ProviderError)}
)
# Words, in lower case, of a message about the credentials. The code of a wrong key is not documented.
_CREDENTIALS = ("store id", "authentication key", "auth key", "authkey")


def read_error(status: int, content: Mapping[str, Any]) -> Meaning | None:
    """Return the meaning of an error. The test call asks for an unknown order: "not found" means a valid key.

    The message has Telr's own words. The note may quote the request, so it does not show that the key is wrong.
    """
    error = content.get("error")
    if not 200 <= status < 300 or not (error or isinstance(error, dict)):
        return None
    fields = error if isinstance(error, dict) else {"message": error}
    message, note = (value if isinstance(value, str) else "" for value in map(fields.get, ("message", "note")))
    code = _CODE.match(message)
    if code and code[1] in _CODES:
        return _CODES[code[1]]
    if any("order" in text and "not found" in text for text in (message.lower(), note.lower())):
        return ACCEPTED
    return InvalidCredentials if any(name in message.lower() for name in _CREDENTIALS) else ProviderRejected
