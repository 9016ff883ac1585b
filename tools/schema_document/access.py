"""Which role may do what with a table: grants and row-level security policies, put together."""

from collections import defaultdict
from collections.abc import Iterator

from tools.schema_document.expressions import cell, code, shortened
from tools.schema_document.reading import Relation

_COMMANDS = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
_POLICY_COMMANDS = {"r": ("SELECT",), "a": ("INSERT",), "w": ("UPDATE",), "d": ("DELETE",), "*": _COMMANDS[:4]}


def rights(relation: Relation) -> Iterator[tuple[str, ...]]:
    """Yield role, command, columns, rows, policy and meaning: a line per grant and policy.

    relation: a table or a view; a view, and a table without row-level security, has no policies.
    """
    columns = defaultdict(list)
    for grant in relation.grants:
        columns[grant.role, grant.privilege].append(grant.column_name)
    granted = {(role, command) for role, command in columns if command in _COMMANDS}
    for role, command in sorted(granted, key=lambda each: (each[0], _COMMANDS.index(each[1]))):
        names = columns[role, command]
        # A privilege on the whole table includes every column.
        which = "all" if None in names else ", ".join(code(name) for name in names)
        for rows, policy, meaning in _rows(relation, role, command):
            yield code(role), command, "" if command == "DELETE" else which, rows, policy, meaning


def _rows(relation: Relation, role: str, command: str) -> list[tuple[str, str, str]]:
    if relation.kind == "v":
        return [("", "", "")]
    if not relation.row_security:
        return [("all", "", "")]
    found = [
        (_condition(policy.visible, policy.written), code(policy.name), cell(policy.comment or ""))
        for policy in relation.policies
        if role in policy.roles and command in _POLICY_COMMANDS[policy.command]
    ]
    return found or [("none", "", "")]


def _condition(visible: str | None, written: str | None) -> str:
    """The rows that a policy admits: those that are there, and those that are written if these differ."""
    texts = [shortened(text) for text in (visible, written) if text is not None]
    shown = ["all" if text == "true" else code(text) for text in dict.fromkeys(texts)]
    return ", then ".join(shown)
