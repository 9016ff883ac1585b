"""Reading whole tables for an audit: all rows as of one moment, of every tenant."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, LiteralString

import psycopg
from psycopg.rows import namedtuple_row

# Rows fetched at a time.
_PAGE = 5000


def is_hidden(database: psycopg.Connection[Any], table: str) -> bool:
    """Return whether row-level security hides tenants of a table from the role: it would find nothing wrong.

    The policies of causeway_auditor let it read every tenant.
    """
    row = database.execute(
        "SELECT row_security_active(%s::text) AND NOT pg_has_role('causeway_auditor', 'USAGE')", [table]
    ).fetchone()
    return row == (True,)


def rows(
    database: psycopg.Connection[Any], query: LiteralString, parameters: Sequence[Any] | Mapping[str, Any] = ()
) -> Iterator[Any]:
    """Yield a query's rows as named tuples, read in one read-only snapshot, fetched a page at a time."""
    with database.transaction(), database.cursor(name="audit", row_factory=namedtuple_row) as cursor:
        database.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.itersize = _PAGE
        yield from cursor.execute(query, parameters or None)
