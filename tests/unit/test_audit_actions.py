"""The audit log's actions: every action that can be searched for is written by some code."""

import re

from causeway.audit_log.entries import Action
from local import ROOT


def test_every_action_is_written_somewhere() -> None:
    """HUB 44: an action that no code writes would promise entries that the log does not have."""
    code = [path.read_text() for folder in ("layers/causeway", "functions") for path in (ROOT / folder).rglob("*.py")]
    written = {name for text in code for name in re.findall(r"\bAction\.([A-Z_]+)", text)}

    assert {action.name for action in Action} == written
