"""Reads tables, types, functions and roles from the database's catalogue, in one order on every version of Postgres."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg
from psycopg.rows import namedtuple_row

# What Postgres prints depends on these. With the search path, no name is qualified with its schema.
_SETTINGS = "-c search_path=public -c intervalstyle=postgres -c datestyle=ISO -c timezone=UTC"
# yoyo, which applies the migrations, has tables of its own.
_RELATIONS = """
    SELECT c.oid, c.relname AS name, c.relkind::text AS kind, c.relrowsecurity AS row_security,
        obj_description(c.oid, 'pg_class') AS comment, pg_get_partkeydef(c.oid) AS partition_key
    FROM pg_class AS c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition
        AND c.relname !~ '^_?yoyo'
"""
_COLUMNS = """
    SELECT a.attrelid AS oid, a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type,
        NOT a.attnotnull AS nullable, a.attidentity::text AS identity, a.attgenerated::text AS generated,
        pg_get_expr(d.adbin, d.adrelid, true) AS expression, col_description(a.attrelid, a.attnum) AS comment
    FROM pg_attribute AS a LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = ANY(%s) AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY a.attrelid, a.attnum
"""
# Not the NOT NULLs: they are constraints with a name from Postgres 18 on.
_CONSTRAINTS = """
    SELECT o.conrelid AS oid, o.conname AS name, o.contype::text AS kind,
        pg_get_constraintdef(o.oid, true) AS definition, obj_description(o.oid, 'pg_constraint') AS comment,
        t.relname AS target, (
            SELECT array_agg(a.attname::text ORDER BY k.place)
            FROM unnest(o.conkey) WITH ORDINALITY AS k (attnum, place)
            INNER JOIN pg_attribute AS a ON a.attrelid = o.conrelid AND a.attnum = k.attnum
        ) AS columns
    FROM pg_constraint AS o LEFT JOIN pg_class AS t ON t.oid = o.confrelid
    WHERE o.conrelid = ANY(%s) AND o.contype IN ('p', 'u', 'f', 'c', 'x')
"""
_INDEXES = """
    SELECT i.indrelid AS oid, c.relname AS name, i.indisunique AS is_unique,
        pg_get_indexdef(c.oid, 0, true) AS definition, obj_description(c.oid, 'pg_class') AS comment
    FROM pg_index AS i INNER JOIN pg_class AS c ON c.oid = i.indexrelid
    WHERE i.indrelid = ANY(%s)
        AND NOT EXISTS (SELECT FROM pg_constraint AS o WHERE o.conindid = c.oid AND o.contype <> 'f')
"""
_TRIGGERS = """
    SELECT t.tgrelid AS oid, t.tgname AS name, t.tgtype AS type, p.proname AS function,
        coalesce(obj_description(t.oid, 'pg_trigger'), obj_description(p.oid, 'pg_proc')) AS comment
    FROM pg_trigger AS t INNER JOIN pg_proc AS p ON p.oid = t.tgfoid
    WHERE t.tgrelid = ANY(%s) AND NOT t.tgisinternal
"""
_POLICIES = """
    SELECT p.polrelid AS oid, p.polname AS name, p.polcmd::text AS command,
        pg_get_expr(p.polqual, p.polrelid, true) AS visible, pg_get_expr(p.polwithcheck, p.polrelid, true) AS written,
        obj_description(p.oid, 'pg_policy') AS comment,
        ARRAY(
            SELECT CASE r.oid WHEN 0 THEN 'PUBLIC' ELSE r.oid::regrole::text END FROM unnest(p.polroles) AS r (oid)
        ) AS roles
    FROM pg_policy AS p WHERE p.polrelid = ANY(%s)
"""
# The owner's privileges are left out. column_name is NULL for the privileges on the whole table.
_GRANTS = """
    SELECT g.oid, CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE g.grantee::regrole::text END AS role,
        g.privilege, g.column_name
    FROM (
        SELECT c.oid, c.relowner AS owner, x.grantee, x.privilege_type AS privilege, NULL AS column_name, 0 AS attnum
        FROM pg_class AS c CROSS JOIN LATERAL aclexplode(c.relacl) AS x
        UNION ALL
        SELECT c.oid, c.relowner, x.grantee, x.privilege_type, a.attname::text, a.attnum
        FROM pg_class AS c INNER JOIN pg_attribute AS a ON a.attrelid = c.oid
        CROSS JOIN LATERAL aclexplode(a.attacl) AS x
    ) AS g
    WHERE g.oid = ANY(%s) AND g.grantee <> g.owner
    ORDER BY g.attnum
"""
_FUNCTIONS = """
    SELECT p.proname AS name, pg_get_function_arguments(p.oid) AS arguments, pg_get_function_result(p.oid) AS result,
        p.prosecdef AS definer, p.proowner::regrole::text AS owner, obj_description(p.oid, 'pg_proc') AS comment,
        p.prorettype = 'trigger'::regtype AS is_trigger, p.proacl IS NULL AS is_public,
        ARRAY(
            SELECT CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE x.grantee::regrole::text END
            FROM aclexplode(p.proacl) AS x WHERE x.grantee <> p.proowner
        ) AS callers
    FROM pg_proc AS p WHERE p.pronamespace = 'public'::regnamespace
"""
_TYPES = """
    SELECT t.typname AS name, t.typtype = 'e' AS is_enum, format_type(t.typbasetype, t.typtypmod) AS base,
        obj_description(t.oid, 'pg_type') AS comment,
        ARRAY(SELECT e.enumlabel::text FROM pg_enum AS e WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder) AS labels,
        ARRAY(SELECT pg_get_constraintdef(o.oid, true) FROM pg_constraint AS o WHERE o.contypid = t.oid) AS checks
    FROM pg_type AS t WHERE t.typnamespace = 'public'::regnamespace AND t.typtype IN ('e', 'd')
"""
_ROLES = """
    SELECT r.rolname AS name, r.rolcanlogin AS logs_in, shobj_description(r.oid, 'pg_authid') AS comment,
        ARRAY(SELECT m.roleid::regrole::text FROM pg_auth_members AS m WHERE m.member = r.oid) AS member_of
    FROM pg_roles AS r WHERE r.rolname = ANY(%s)
"""


@dataclass(frozen=True, slots=True)
class Relation:
    """A table or a view. Its parts are rows of the statements above; partitions are not read, only their parent.

    Attributes:
        kind: r for a table, p for a partitioned one, v for a view.
        partition_key: of a partitioned table: RANGE (created_at).
    """

    name: str
    kind: str
    comment: str | None
    row_security: bool
    partition_key: str | None
    columns: list[Any]
    constraints: list[Any]
    indexes: list[Any]
    triggers: list[Any]
    policies: list[Any]
    grants: list[Any]


@dataclass(frozen=True, slots=True)
class Schema:
    """Everything that the document shows, each list ordered by name."""

    relations: list[Relation]
    functions: list[Any]
    types: list[Any]
    roles: list[Any]


def read(url: str) -> Schema:
    """Return the schema of a database.

    Args:
        url: of any login; it needs no privilege.

    Raises:
        psycopg.Error: the database cannot be read.
    """
    with psycopg.connect(url, row_factory=namedtuple_row, options=_SETTINGS) as database:
        found: list[Any] = database.execute(_RELATIONS).fetchall()
        oids = [row.oid for row in found]

        def parts(statement: LiteralString) -> dict[int, list[Any]]:
            by_relation = defaultdict(list)
            rows: list[Any] = database.execute(statement, [oids]).fetchall()
            for row in rows:
                by_relation[row.oid].append(row)
            return by_relation

        columns, grants = parts(_COLUMNS), parts(_GRANTS)
        others = [parts(statement) for statement in (_CONSTRAINTS, _INDEXES, _TRIGGERS, _POLICIES)]
        relations = [
            Relation(
                row.name,
                row.kind,
                row.comment,
                row.row_security,
                row.partition_key,
                columns[row.oid],
                *(_by_name(part[row.oid]) for part in others),
                grants[row.oid],
            )
            for row in found
        ]
        functions = _by_name(database.execute(_FUNCTIONS).fetchall())
        types = _by_name(database.execute(_TYPES).fetchall())
        roles = _by_name(database.execute(_ROLES, [sorted(_used(relations, functions))]).fetchall())
    return Schema(_by_name(relations), functions, types, roles)


def _by_name(rows: Iterable[Any]) -> list[Any]:
    """Sort in the order of code points: Postgres's order depends on its collation."""
    return sorted(rows, key=lambda row: (row.name, getattr(row, "arguments", "")))


def _used(relations: list[Relation], functions: list[Any]) -> set[str]:
    """The roles that this database uses: a server may have more, of other databases."""
    used = {grant.role for relation in relations for grant in relation.grants}
    used |= {role for function in functions for role in function.callers}
    return (used | {function.owner for function in functions if function.definer}) - {"PUBLIC"}
