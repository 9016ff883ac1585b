"""The audit log's vocabulary: what can be looked for is also written."""

import re

from causeway.audit_log import Action
from local import ROOT


def test_every_action_is_written_by_something() -> None:
    """HUB 44: an action that nothing writes promises what the log does not hold."""
    code = [path.read_text() for folder in ("layers/causeway", "functions") for path in (ROOT / folder).rglob("*.py")]
    written = {name for text in code for name in re.findall(r"\bAction\.([A-Z_]+)", text)}

    assert {action.name for action in Action} == written
