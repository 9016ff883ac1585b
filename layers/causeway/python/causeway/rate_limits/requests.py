"""The request of the rate limiter's function, read by hand."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from causeway.errors.requests import InvalidRequest
from causeway.errors.tree import Problem
from causeway.rate_limits.limits import MOST
from causeway.wire import problem_words
from causeway.wire.strict_json import shown_name

Action = Literal["check", "take", "usage"]
_ACTIONS = get_args(Action)
_FIELDS = ("connection_id", "key", "action", "cost")
# A name that a tenant gives to what it limits: letters, digits, and what separates parts of names.
KEY = re.compile(r"[0-9A-Za-z][0-9A-Za-z._:/@+-]{0,127}")
_KEY_RULE = "must be 1 to 128 letters, digits and characters of ._:/@+-, and begin with a letter or a digit"


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
            InvalidRequest: names every field that breaks a rule.
        """
        problems = [*_unknown(fields), *_of_subject(fields), *_of_fields(fields)]
        if problems:
            raise InvalidRequest.of_problems(problems)
        return cls(fields.get("connection_id"), fields.get("key"), fields["action"], fields.get("cost", 1))


def _unknown(fields: dict[str, Any]) -> Iterator[Problem]:
    """Yield the unknown fields; the first one names those that there are."""
    known: Sequence[str] | None = _FIELDS
    for name in fields:
        if name not in _FIELDS:
            yield Problem(shown_name(name), problem_words.unknown_field(known))
            known = None


def _of_subject(fields: dict[str, Any]) -> Iterator[Problem]:
    if (fields.get("connection_id") is None) == (fields.get("key") is None):
        yield Problem("", "Send connection_id or key, and not both")


def _of_fields(fields: dict[str, Any]) -> Iterator[Problem]:
    connection_id, key = fields.get("connection_id"), fields.get("key")
    if connection_id is not None and not isinstance(connection_id, str):
        yield Problem("connection_id", problem_words.of_type("string"))
    if key is not None and not (isinstance(key, str) and KEY.fullmatch(key)):
        yield Problem("key", _KEY_RULE)
    if fields.get("action") not in list(_ACTIONS):
        yield Problem("action", "is missing" if "action" not in fields else f"must be one of {', '.join(_ACTIONS)}")
    cost = fields.get("cost", 1)
    if type(cost) is not int or not 1 <= cost <= MOST:
        yield Problem("cost", f"must be a whole number from 1 to {MOST}")
