"""SQL expressions as Postgres prints them, made shorter for a reader, and escaped for a table in Markdown."""

import re

_NUMBER_CAST = re.compile(r"'(\d+)'::bigint")
_CAST = re.compile(r"('(?:[^']|'')*'|NULL)::(?:character varying|timestamp with time zone|[a-z_]+)")
_CHOICE = re.compile(r"= ANY \(ARRAY\[([^]]*)\]\)")
_CHECK = re.compile(r"CHECK \((.*)\)(?: NOT VALID)?", re.DOTALL)


def shortened(expression: str) -> str:
    """Return an expression without casts of literals, with IN for = ANY, in one line."""
    text = _CAST.sub(r"\1", _NUMBER_CAST.sub(r"\1", " ".join(expression.split())))
    return _CHOICE.sub(r"IN (\1)", text)


def rule_of(check: str) -> str:
    """Return the rule of a CHECK. check: CHECK (...), as Postgres prints it."""
    match = _CHECK.fullmatch(check)
    return shortened(match[1] if match else check)


def code(text: str) -> str:
    """Return a code span that may stand in a cell of a table."""
    return f"`{text}`".replace("|", "\\|") if text else ""


def cell(text: str) -> str:
    """Return a comment for a cell of a table: its | ends no cell, its < begins no HTML."""
    return re.sub(r"([|<>])", r"\\\1", text)
