"""What a platform's answer to the test call tells of an account, so that people recognise it: its name and its ids."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from causeway.outbound.redaction import Redactor
from causeway.outbound.replies import Reply

# Characters of a detail. A longer text is left out: an id that is cut is another id.
_LONGEST = 255


@dataclass(frozen=True, slots=True)
class AccountDetails:
    """An account as its platform names it. None: the platform does not tell it.

    Attributes:
        location_id: of a platform whose accounts have locations.
    """

    account_name: str | None = None
    account_id: str | None = None
    location_id: str | None = None


NONE = AccountDetails()


def read(paths: Mapping[str, str], reply: Reply, secrets: Iterable[str]) -> AccountDetails:
    """Return the details that stand in an answer; one that holds a secret, or is no text or integer, is left out.

    Args:
        paths: of the test call: accountName, accountId and locationId, each a dotted path into the answer.
        reply: the answer, a JSON value.
        secrets: values that are not shown.
    """
    if not paths:
        return NONE
    content, redactor = json.loads(reply.body), Redactor(secrets)
    told = {name: _shown(value_at(content, path.split(".")), redactor) for name, path in paths.items()}
    return AccountDetails(told.get("accountName"), told.get("accountId"), told.get("locationId"))


def value_at(content: Any, steps: Sequence[str]) -> Any:
    """Return the value that names of fields lead to in a JSON value; None if there is none."""
    for step in steps:
        content = content.get(step) if isinstance(content, dict) else None
    return content


def _shown(value: Any, redactor: Redactor) -> str | None:
    """Return a value as one line of visible text; None if it is not shown."""
    if not isinstance(value, (str, int)) or isinstance(value, bool):
        return None
    text = str(value)
    # Drop invisible characters, and lone surrogates, which have no UTF-8.
    spaced = "".join(character for character in text if character.isprintable() or character.isspace())
    line = " ".join(spaced.split())
    secret = any(redactor.text(spelling) != spelling for spelling in (text, line))
    return line if 0 < len(line) <= _LONGEST and not secret else None
