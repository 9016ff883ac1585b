"""The request of the rate limiter's function, read by hand."""

import re
from dataclasses import dataclass
from typing import Any, Literal

from causeway.errors.requests import InvalidRequest
from causeway.rate_limits.limits import MOST
from causeway.wire.strict_json import shown_name

Action = Literal["check", "take", "usage"]
_ACTIONS: dict[object, Action] = {"check": "check", "take": "take", "usage": "usage"}
_FIELDS = {"connection_id", "key", "action", "cost"}
# A name that a tenant gives to what it limits: letters, digits, and what separates parts of names.
KEY = re.compile(r"[0-9A-Za-z][0-9A-Za-z._:/@+-]{0,127}")


@dataclass(frozen=True, slots=True)
class LimiterRequest:
    """A request of the rate limiter.

    Attributes:
        connection: its id, or ext: and the tenant's own id of it; None: key names what is counted.
        action: take counts; check tells what take would decide; usage tells what is used.
        cost: how many requests it counts for.
    """

    connection: str | None
    key: str | None
    action: Action
    cost: int

    @classmethod
    def parse(cls, fields: dict[str, Any]) -> "LimiterRequest":
        """Read a request from the fields of a body.

        Raises:
            InvalidRequest: names the field that breaks a rule.
        """
        for name in fields:
            if name not in _FIELDS:
                raise InvalidRequest(f"{shown_name(name)} is not a field of this request")
        connection_id, key = fields.get("connection_id"), fields.get("key")
        if (connection_id is None) == (key is None):
            raise InvalidRequest("Send connection_id or key, and not both")
        return cls(_connection(connection_id), _key(key), _action(fields), _cost(fields))


def _connection(value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise InvalidRequest("connection_id must be a string")
    return value


def _key(value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not KEY.fullmatch(value):
        raise InvalidRequest(
            "key must be 1 to 128 letters, digits and characters of ._:/@+-, and begin with a letter or a digit"
        )
    return value


def _action(fields: dict[str, Any]) -> Action:
    value = fields.get("action")
    if not isinstance(value, str) or value not in _ACTIONS:
        raise InvalidRequest("action must be check, take or usage")
    return _ACTIONS[value]


def _cost(fields: dict[str, Any]) -> int:
    value = fields.get("cost", 1)
    if type(value) is not int or not 1 <= value <= MOST:
        raise InvalidRequest(f"cost must be a whole number from 1 to {MOST}")
    return value
