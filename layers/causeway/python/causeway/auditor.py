"""What the commands that prove the records share: who may look, one look at one moment, how it is told."""

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, LiteralString

import psycopg
from psycopg.rows import namedtuple_row

# Rows fetched at a time.
_PAGE = 5000

# Whether row-level security would hide tenants from the role, so that nothing is found wrong where nothing is seen.
_IS_BLIND = "SELECT row_security_active(%s::text) AND NOT pg_has_role('causeway_auditor', 'USAGE')"


def command_line(program: str, description: str | None, command: str) -> argparse.ArgumentParser:
    """Return the parser of a program with one command, which needs a database's URL."""
    parser = argparse.ArgumentParser(prog=program, description=description)
    parser.add_argument("command", choices=[command])
    url = os.environ.get("DATABASE_URL")
    parser.add_argument(
        "--database-url",
        default=url,
        required=not url,
        help="of causeway_auditor, or another role that reads every tenant; default: DATABASE_URL",
    )
    return parser


def run(
    database_url: str,
    table: str,
    failure: str,
    prove: Callable[[psycopg.Connection[Any]], Iterable[object]],
    summary: Callable[[], str],
) -> int:
    """Print what is found wrong, a line each, and at the end what was looked at.

    Args:
        database_url: of a role that reads every tenant.
        table: one that the role must read whole.
        failure: the sentence that stands before the reason why nothing could be proved.
        prove: yields what is wrong.
        summary: what was looked at, asked at the end.

    Returns:
        The process's exit status: 0, 1 if something is wrong, 2 if nothing could be proved.
    """
    faults = 0
    try:
        with psycopg.connect(database_url, autocommit=True) as connection:
            if connection.execute(_IS_BLIND, [table]).fetchone() == (True,):
                sys.stderr.write(f"{failure}: the role does not read every tenant, causeway_auditor does\n")
                return 2
            for finding in prove(connection):
                faults += 1
                sys.stdout.write(f"{finding}\n")
    except psycopg.Error as error:
        sys.stderr.write(f"{failure}: {str(error).splitlines()[0]}\n")
        return 2
    sys.stdout.write(f"{summary()}, {faults} findings\n")
    return 1 if faults else 0


def rows(
    connection: psycopg.Connection[Any], query: LiteralString, parameters: Sequence[Any] | Mapping[str, Any] = ()
) -> Iterator[Any]:
    """Yield a query's rows as they stand at one moment, a page at a time."""
    with connection.transaction(), connection.cursor(name="proof", row_factory=namedtuple_row) as cursor:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.itersize = _PAGE
        yield from cursor.execute(query, parameters or None)
