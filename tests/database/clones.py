"""A migrated template database, and clones of it: new ones, and used ones that were restored to the template's state.

Copying a database's files takes 150 ms of processor time; emptying the few rows that a test wrote takes 10 ms.
"""

from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any

import psycopg
from psycopg import sql

from local.services.database import Database

# A clone with a larger table (in bytes) is dropped: emptying it would take long.
_MOST_BYTES = 512 * 1024

# Their rows are those of their partitions, so parents are left out.
_TABLES = """
    SELECT oid::regclass::text FROM pg_class
    WHERE relnamespace IN ('public'::regnamespace, 'partitions'::regnamespace) AND relkind = 'r'
    ORDER BY 1
"""
# The CHECKs of tables and domains: dropped ones are restored.
_CONSTRAINTS = """
    SELECT
        CASE conrelid WHEN 0 THEN 'DOMAIN ' || contypid::regtype ELSE 'TABLE ' || conrelid::regclass END,
        quote_ident(conname), pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype = 'c'
"""
# Everything else that a migration creates. A change gives a catalogue row another xmin. For pg_class some columns are
# compared instead, because dropping a CHECK changes its rows too.
_SCHEMA = """
    SELECT md5(string_agg(line, '|' ORDER BY line)) FROM (
        SELECT concat_ws(' ', oid, relname, relowner, relacl, relkind, reloptions, relrowsecurity, relforcerowsecurity)
        FROM pg_class WHERE relnamespace IN ('public'::regnamespace, 'partitions'::regnamespace)
        UNION ALL SELECT concat_ws(' ', a.attrelid, a.attname, a.xmin)
        FROM pg_attribute AS a INNER JOIN pg_class AS c ON c.oid = a.attrelid
        WHERE c.relnamespace = 'public'::regnamespace AND a.attnum > 0
        UNION ALL SELECT concat_ws(' ', oid, xmin) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace AND contype <> 'c'
        UNION ALL SELECT concat_ws(' ', oid, xmin) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
        UNION ALL SELECT concat_ws(' ', oid, xmin) FROM pg_type WHERE typnamespace = 'public'::regnamespace
        UNION ALL SELECT concat_ws(' ', oid, xmin) FROM pg_trigger
        UNION ALL SELECT concat_ws(' ', oid, xmin) FROM pg_policy
        UNION ALL SELECT concat_ws(' ', oid, xmin) FROM pg_attrdef
        UNION ALL SELECT concat_ws(' ', oid, xmin) FROM pg_namespace
        UNION ALL SELECT concat_ws(' ', oid, xmin) FROM pg_extension
        UNION ALL SELECT concat_ws(' ', indexrelid, xmin) FROM pg_index
        UNION ALL SELECT concat_ws(' ', seqrelid, xmin) FROM pg_sequence
        UNION ALL SELECT concat_ws(' ', oid, defaclacl) FROM pg_default_acl
        UNION ALL SELECT concat_ws(' ', setrole, setconfig) FROM pg_db_role_setting
        WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
    ) AS lines (line)
"""
_USED = """
    SELECT oid::regclass::text, pg_relation_size(oid) FROM pg_class
    WHERE oid = ANY(%s::regclass[]) AND pg_relation_size(oid) > 0
"""
_SEQUENCES = "SELECT setval(seqrelid, seqstart, false) FROM pg_sequence"
_OTHERS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@dataclass(frozen=True)
class _Content:
    """The content of a database: its schema, the CHECKs of its tables and domains, and the rows of its tables."""

    schema: str
    constraints: frozenset[tuple[str, str, str]]
    # By table; None if it is empty.
    rows: dict[str, str | None]


@dataclass
class Cluster:
    """A server with a migrated template database and its clones."""

    admin_url: str
    template: Database
    _idle: list[str] = field(default_factory=list)
    _content: _Content | None = None

    @contextmanager
    def clone(self, *, fresh: bool = False) -> Generator[dict[str, str]]:
        """The URLs, by login, of a database equal to the template, for one user; fresh: a clone that was never used."""
        name = self._idle.pop() if self._idle and not fresh else self._made()
        try:
            yield self._urls(name)
        finally:
            if self._renewed(name):
                self._idle.append(name)
            else:
                self._run("DROP DATABASE {} WITH (FORCE)", name)

    def close(self) -> None:
        """Drop the clones that wait for reuse."""
        while self._idle:
            self._run("DROP DATABASE {} WITH (FORCE)", self._idle.pop())

    def _made(self) -> str:
        name = f"causeway_clone_{token_hex(4)}"
        self._run("CREATE DATABASE {} TEMPLATE {} OWNER causeway_owner", name, self.template.name)
        if self._content is None:
            with self._connected(name) as database:
                self._content = _content(database)
        return name

    def _renewed(self, name: str) -> bool:
        """Restore a used clone; returns whether it equals the template again."""
        assert self._content is not None
        with suppress(psycopg.Error), self._connected(name) as database:
            return _renewed(database, self._content)
        return False

    def _urls(self, name: str) -> dict[str, str]:
        return {role: url.removesuffix(self.template.name) + name for role, url in self.template.urls.items()}

    def _connected(self, name: str) -> psycopg.Connection[Any]:
        return psycopg.connect(self._urls(name)["superuser"], autocommit=True)

    def _run(self, statement: Any, *names: str) -> None:
        with psycopg.connect(self.admin_url, autocommit=True) as database:
            database.execute(sql.SQL(statement).format(*(sql.Identifier(name) for name in names)))


def _renewed(database: psycopg.Connection[Any], new: _Content) -> bool:
    """Empty the tables that are empty in the template; returns False if anything else differs from the template."""
    database.execute(_OTHERS)
    database.execute("SET lock_timeout = '5s'")
    database.execute("SET session_replication_role = replica")
    empty = [table for table, rows in new.rows.items() if rows is None]
    used = database.execute(_USED, [empty]).fetchall()
    if any(size > _MOST_BYTES for _, size in used):
        return False
    tables = [_named(table) for table, _ in used]
    with database.transaction():
        for table in tables:
            database.execute(sql.SQL("DELETE FROM {}").format(table))
        for owner, constraint, definition in sorted(new.constraints - _constraints(database)):
            database.execute(f"ALTER {owner} ADD CONSTRAINT {constraint} {definition}".encode())
        database.execute(_SEQUENCES)
    if tables:
        # Otherwise dead rows would influence where new rows are stored.
        database.execute(sql.SQL("VACUUM (INDEX_CLEANUP ON) {}").format(sql.SQL(", ").join(tables)))
    return _content(database) == new


def _content(database: psycopg.Connection[Any]) -> _Content:
    [schema] = database.execute(_SCHEMA).fetchone() or [""]
    tables = [table for (table,) in database.execute(_TABLES).fetchall()]
    # A row that nobody has written has the same position and xmin as in the template.
    hashes = sql.SQL(" UNION ALL ").join(
        sql.SQL("SELECT {}, (SELECT md5(string_agg(concat(ctid, xmin), ' ' ORDER BY ctid)) FROM {})").format(
            sql.Literal(table), _named(table)
        )
        for table in tables
    )
    return _Content(schema, _constraints(database), dict(database.execute(hashes).fetchall()))


def _named(table: str) -> sql.Identifier:
    """A table as SQL names it. table: as regclass prints it, with its schema if it is not public."""
    return sql.Identifier(*table.split("."))


def _constraints(database: psycopg.Connection[Any]) -> frozenset[tuple[str, str, str]]:
    return frozenset(database.execute(_CONSTRAINTS).fetchall())
