"""Renders the schema as Markdown: docs/schema.md."""

from collections.abc import Iterable, Sequence
from typing import Any

from tools.schema_document import access
from tools.schema_document.expressions import cell, code, rule_of, shortened
from tools.schema_document.reading import Relation, Schema
from tools.schema_document.sections import SECTIONS, Section, place_of
from tools.schema_document.shared_columns import SHARED_COLUMNS

_TOP = """\
# The database's schema

Made from the migrated database by `make docs`; `make check` and a test compare the two. The sentences are the
`COMMENT ON` statements of [schema/](../schema): change them there. [development.md](development.md) says how to add a
table.
"""
_HOW_TO_READ = """\
## How to read it

Each table has three parts: its columns; its keys, rules and indexes; which role may do what with which rows.

- **rows** are the rows that a role can reach. `tenant_id = current_tenant()` means the rows of the tenant that the
  transaction has set. Row-level security holds for the table's owner too, so a role or a command that is not listed
  reaches no row.
- A role also has the rights of the roles that it is a member of. Some rights belong to a role that cannot log in: it
  owns functions that run with its rights, and a login has these rights only through these functions.
"""
# The bits of pg_trigger.tgtype.
_TRIGGER_EVENTS = ((4, "INSERT"), (16, "UPDATE"), (8, "DELETE"), (32, "TRUNCATE"))
_SHORT_TYPES = (("timestamp with time zone", "timestamptz"), ("character varying", "varchar"))
_KINDS = {"p": "primary key", "u": "unique", "f": "foreign key", "c": "check", "x": "exclusion"}


def make(schema: Schema) -> str:
    """Return the document. Raises Unsorted if a table, a type or a function belongs to no section."""
    functions = [function for function in schema.functions if not function.is_trigger]
    parts = [_TOP, _contents(schema), _HOW_TO_READ, _roles(schema)]
    for section in SECTIONS:
        relations = _of(section, schema.relations)
        parts.append(f"## {section.title}\n\n{section.about} Code: `causeway/{section.wing}`.\n")
        parts += [_relation(relation) for relation in relations]
        parts += [_types(_of(section, schema.types)), _functions(_of(section, functions))]
    return "\n".join(part for part in parts if part)


def _of(section: Section, rows: Iterable[Any]) -> list[Any]:
    """The rows of a section, in its order; rows in one place keep the order that they have."""
    own = [row for row in rows if place_of(row.name)[0] is section]
    return sorted(own, key=lambda row: place_of(row.name)[1])


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table without the columns that are empty in every row."""
    rows = list(rows)
    used = [place for place in range(len(heads)) if any(row[place] for row in rows)]
    lines = [[heads[place] for place in used], ["---"] * len(used), *([row[place] for place in used] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _anchor(title: str) -> str:
    return title.lower().replace(" ", "-")


def _contents(schema: Schema) -> str:
    lines = ["- [How to read it](#how-to-read-it), [roles](#roles)"]
    for section in SECTIONS:
        tables = ", ".join(f"[{relation.name}](#{relation.name})" for relation in _of(section, schema.relations))
        lines.append(f"- [{section.title}](#{_anchor(section.title)}): {tables}")
    return "\n".join(lines) + "\n"


def _roles(schema: Schema) -> str:
    rows = [
        (
            code(role.name),
            "yes" if role.logs_in else "no",
            ", ".join(code(of) for of in sorted(role.member_of)),
            cell(role.comment or ""),
        )
        for role in schema.roles
    ]
    return "## Roles\n\n" + _table(("role", "logs in", "member of", "meaning"), rows)


def _relation(relation: Relation) -> str:
    parts = [f"### `{relation.name}`\n", f"{cell(relation.comment or '')}\n"]
    if relation.kind == "v":
        parts.append("A view: its rows are those that its reader can reach in the tables.\n")
    if relation.partition_key:
        parts.append(f"Partitioned by `{relation.partition_key}`.\n")
    heads = ("column", "type", "null", "default", "refers to", "meaning")
    parts.append(_table(heads, (_column(relation, column) for column in relation.columns)))
    if rules := _rules(relation):
        parts.append(_table(("rule", "name", "definition", "meaning"), rules))
    rights = list(access.rights(relation))
    parts.append(_table(("role", "may", "columns", "rows", "policy", "meaning"), rights) if rights else "")
    return "\n".join(part for part in parts if part)


def _column(relation: Relation, column: Any) -> tuple[str, ...]:
    default = code(shortened(column.expression or ""))
    if column.identity:
        default = "identity"
    elif column.generated:
        default = f"generated: {default}"
    # In a key of several columns, tenant_id only says that both rows are of one tenant.
    targets = {
        key.target
        for key in relation.constraints
        if key.kind == "f" and column.name in key.columns and (column.name != "tenant_id" or len(key.columns) == 1)
    }
    return (
        code(column.name),
        code(_short_type(column.type)),
        "yes" if column.nullable and relation.kind != "v" else "",
        default,
        ", ".join(f"[{target}](#{target})" for target in sorted(targets)),
        cell(column.comment or SHARED_COLUMNS.get(column.name, "")),
    )


def _short_type(name: str) -> str:
    for long, short in _SHORT_TYPES:
        name = name.replace(long, short)
    return name


def _rules(relation: Relation) -> list[tuple[str, ...]]:
    """Keys and CHECKs, then indexes, then triggers."""
    order = list(_KINDS)
    rows: list[tuple[str, ...]] = [
        (_KINDS[rule.kind], code(rule.name), _definition(rule), cell(rule.comment or ""))
        for rule in sorted(relation.constraints, key=lambda rule: order.index(rule.kind))
        # The column shows a foreign key of its own.
        if rule.kind != "f" or len(rule.columns) > 1 or rule.comment
    ]
    rows += [
        (
            "unique index" if index.is_unique else "index",
            code(index.name),
            code(shortened(index.definition.partition(" USING ")[2]).removeprefix("btree ")),
            cell(index.comment or ""),
        )
        for index in relation.indexes
    ]
    rows += [("trigger", code(each.name), _trigger(each), cell(each.comment or "")) for each in relation.triggers]
    return rows


def _definition(rule: Any) -> str:
    if rule.kind == "c":
        return code(rule_of(rule.definition))
    if rule.kind == "f":
        return f"{code(', '.join(rule.columns))} in [{rule.target}](#{rule.target})"
    if rule.kind == "x":
        return code(shortened(rule.definition))
    return code(", ".join(rule.columns))


def _trigger(trigger: Any) -> str:
    when = "before" if trigger.type & 2 else "after"
    events = " or ".join(name for bit, name in _TRIGGER_EVENTS if trigger.type & bit)
    return f"{when} {events}: {code(trigger.function + '()')}"


def _types(types: list[Any]) -> str:
    lines = ["Types:\n\n"] if types else []
    for each in types:
        values = ", ".join(code(label) for label in each.labels) if each.is_enum else code(each.base)
        rules = "".join(f", {code(rule_of(check))}" for check in sorted(each.checks))
        lines.append(f"- `{each.name}`: {values}{rules}. {cell(each.comment or '')}\n")
    return "".join(lines)


def _functions(functions: list[Any]) -> str:
    lines = ["Functions:\n\n"] if functions else []
    for each in functions:
        signature = f"`{each.name}({_short_type(shortened(each.arguments))})` returns `{_short_type(each.result)}`."
        rights = f" Runs with the rights of `{each.owner}`." if each.definer else ""
        callers = "any role" if each.is_public else ", ".join(code(role) for role in sorted(each.callers))
        called = f" Called by {callers}." if callers else " No login may call it."
        lines.append(f"- {signature}{rights}{called} {cell(each.comment or '')}\n")
    return "".join(lines)
