"""The statements of pages: each list is read through an index, in both directions, under row-level security."""

import re
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from causeway.audit_log import listing as audit
from causeway.audit_log.requests import AuditQuery
from causeway.catalogue import providers
from causeway.catalogue.templates import TemplateQuery
from causeway.connections import call_log_listing as calls
from causeway.connections import listing as connections
from causeway.connections.requests import ConnectionQuery
from causeway.database.paging import PagedSelect
from causeway.syncs import listing as syncs
from causeway.tenancy import api_keys, memberships
from causeway.wire.pages import PageRequest
from tests.database.world import Casino

CONNECTION = UUID("00000000-0000-4000-8000-0000000000c0")
# A sort key in the middle of each list's rows, by the types of its columns; the texts of some lists.
KEYS: dict[type, Any] = {
    datetime: datetime(2026, 1, 2, tzinfo=UTC),
    UUID: UUID("80000000-0000-4000-8000-000000000000"),
    int: 1500,
    str: "8",
}
# A node that sorts. A Merge Append has a "Sort Key" too: the order that its partitions are read in.
SORT = re.compile(r"Sort  \(cost")
NAMES = {"templates": "copy2000"}
EVERY_ENTRY = AuditQuery().filters()
# By list: how it is read, the index that leads to its rows in their order, and the parameters of its filter. The list
# of tenants is not here: its policy lets the planner expect one row, which it sorts, and a deployment has few tenants.
LISTS: dict[str, tuple[PagedSelect, str, dict[str, Any]]] = {
    "connections": (connections.PAGES, "integration_connections_page", ConnectionQuery().filters()),
    "templates": (providers.PAGES, "integration_providers_pkey", TemplateQuery().filters()),
    "calls": (calls.PAGES, "integration_api_logs_page", {"connection": CONNECTION, **calls.CallLogQuery().filters()}),
    "syncs": (syncs.PAGES, "sync_runs_page", {"connection": CONNECTION}),
    "memberships": (memberships.PAGES, "memberships_pkey", {}),
    "API keys": (api_keys.PAGES, "api_keys_page", {}),
    "audit log": (audit.PAGES, "audit_log_pkey", EVERY_ENTRY),
    "an actor's audit log": (audit.PAGES, "audit_log_actor", EVERY_ENTRY | {"actor": "person 1"}),
}
# Thousands of rows of each list: a scan of all of them costs more than an index.
_ROWS = (
    """
    INSERT INTO integration_providers (
        provider_key, kind, display_name, description, config_schema, setup_instructions, base_urls, webhook_support,
        rate_limits, authentication, health_call
    )
    SELECT 'copy' || n, 'payment', 'A copy', 'A copy', '{"type": "object"}', '', '{}', false, '{}', '{}', '{}'
    FROM generate_series(1, 3000) AS n
    """,
    "INSERT INTO tenants (code, display_name) SELECT 'COPY' || n, 'A casino' FROM generate_series(1, 3000) AS n",
    "INSERT INTO users (subject) SELECT md5(n::text) FROM generate_series(1, 3000) AS n",
    """
    INSERT INTO memberships (tenant_id, subject, role)
    SELECT t.tenant_id, u.subject, 'staff' FROM users AS u
    CROSS JOIN (SELECT tenant_id FROM tenants WHERE tenant_id = %(tenant)s OR code IN ('COPY1', 'COPY2')) AS t
    """,
    """
    INSERT INTO api_keys (tenant_id, name, hash, created_by, created_at)
    SELECT m.tenant_id, m.subject, sha256(m.subject::bytea), 'test',
        '2026-01-01'::timestamptz + row_number() OVER () * interval '1 minute'
    FROM memberships AS m
    """,
    """
    INSERT INTO integration_connections (tenant_id, connection_id, provider_key, name, created_by, created_at)
    SELECT %(tenant)s, CASE n WHEN 1 THEN %(connection)s ELSE gen_random_uuid() END, 'copy1', n::text, 'test',
        '2026-01-01'::timestamptz + n * interval '1 minute'
    FROM generate_series(1, 3000) AS n
    """,
    """
    INSERT INTO integration_health (tenant_id, connection_id, status, code, message, next_action)
    SELECT c.tenant_id, c.connection_id, 'healthy', 'OK', '', '' FROM integration_connections AS c
    """,
    """
    INSERT INTO circuit_breakers (tenant_id, connection_id, state, retry_at)
    SELECT c.tenant_id, c.connection_id, 'closed', now() FROM integration_connections AS c
    """,
    """
    INSERT INTO sync_runs (tenant_id, connection_id, status, requested_by, requested_at, ended_at)
    SELECT c.tenant_id, c.connection_id, 'succeeded', 'test', '2026-01-01'::timestamptz + n * interval '1 minute', now()
    FROM (SELECT * FROM integration_connections ORDER BY created_at LIMIT 3) AS c
    CROSS JOIN generate_series(1, 2000) AS n
    """,
    """
    INSERT INTO integration_api_logs (
        tenant_id, connection_id, method, url, milliseconds, request_id, actor_kind, actor, created_at
    )
    SELECT r.tenant_id, r.connection_id, 'GET', 'https://example.com/', 1, 'test', 'system', 'test',
        -- In the default partition and in every other one.
        now() - interval '40 days' + row_number() OVER () * interval '30 minutes'
    FROM sync_runs AS r
    """,
    """
    INSERT INTO integration_api_log_bodies (tenant_id, created_at, log_id, request_body, response_body)
    SELECT l.tenant_id, l.created_at, l.log_id, repeat('x', 1600), '' FROM integration_api_logs AS l
    """,
    "INSERT INTO audit_log_heads (tenant_id, entries, head) VALUES (%(tenant)s, 3000, '')",
    """
    INSERT INTO audit_log (
        tenant_id, entry, at, actor_kind, actor, action, object_kind, object_id, outcome, previous_hash, hash
    )
    SELECT %(tenant)s, n, now(), 'person', 'person ' || n %% 2, 'tenant.made', 'tenant', n, 'done', '', ''
    FROM generate_series(1, 3000) AS n
    """,
)


@pytest.fixture(scope="module")
def filled(shared_casino: Casino) -> Casino:
    for statement in _ROWS:
        parameters = {"tenant": shared_casino.tenant_id, "connection": CONNECTION} if "%(" in statement else None
        shared_casino.superuser.execute(statement.encode(), parameters)
    shared_casino.query("ANALYZE")
    return shared_casino


def key_of(name: str) -> tuple[Any, ...]:
    """A sort key of a list."""
    return (NAMES[name],) if name in NAMES else tuple(KEYS[column.type] for column in LISTS[name][0].key)


def plan(casino: Casino, name: str, key: tuple[Any, ...], *, backwards: bool) -> list[str]:
    """The plan of a page's statement for the hub's login."""
    pages, _, filters = LISTS[name]
    wanted = PageRequest(pages.listing, casino.tenant_id, "", 50, key, backwards)
    statement = f"EXPLAIN {pages.statement(wanted)}".encode()
    with casino.database("hub").transaction(casino.tenant_id) as transaction:
        return [row[0] for row in transaction.execute(statement, pages.parameters(wanted, filters)).fetchall()]


def indexes_of(casino: Casino, index: str) -> list[str]:
    """The names in a plan of an index: its own, or those of its partitions."""
    rows = casino.query(
        "SELECT c.relname FROM pg_inherits AS i INNER JOIN pg_class AS c ON c.oid = i.inhrelid "
        "WHERE i.inhparent = %s::regclass ORDER BY c.relname",
        [index],
    )
    return [row.relname for row in rows] or [index]


@pytest.mark.parametrize("key", [False, True], ids=["from the end", "from a key"])
@pytest.mark.parametrize("backwards", [False, True], ids=["forth", "back"])
@pytest.mark.parametrize("name", LISTS)
def test_page_is_read_through_the_index_that_has_its_order(
    filled: Casino, name: str, backwards: bool, key: bool
) -> None:
    pages, index, _ = LISTS[name]
    lines = plan(filled, name, key_of(name) if key else (), backwards=backwards)
    indexes = indexes_of(filled, index)
    places = [number for number, line in enumerate(lines) if any(f" using {own} on " in line for own in indexes)]

    assert (len(places) == 1) or (pages.partitioned and len(places) > 1), lines
    assert not any(SORT.search(line) or "Seq Scan" in line for line in lines), lines
    # The index starts at the key: the comparison is no filter after it.
    for place in places:
        condition = lines[place + 1] if key else ""
        assert not key or "Index Cond" in condition, lines
        assert all(column.sql.rpartition(".")[2] in condition for column in pages.key) == key, lines


@pytest.mark.parametrize(("backwards", "read"), [(False, False), (True, True)], ids=["forth", "back"])
def test_page_reads_only_the_partitions_on_its_side_of_the_key(filled: Casino, backwards: bool, read: bool) -> None:
    """A key before all partitions but the default one: the calls in front of it are newer, those after it older."""
    lines = plan(filled, "calls", (datetime(2020, 1, 1, tzinfo=UTC), 1500), backwards=backwards)
    partitions = [own for own in indexes_of(filled, "integration_api_logs_page") if "default" not in own]

    assert partitions
    assert [own for own in partitions if any(own in line for line in lines)] == (partitions if read else [])
