"""Every filter of the API log but the purpose is served by an index, under row-level security."""

import re
from typing import Any, LiteralString
from uuid import UUID

import pytest

from causeway.connections import call_log_listing as listing
from causeway.connections.call_log_listing import CallLogQuery
from causeway.wire.pages import PageRequest
from tests.database.world import Casino

# Rows of the log: enough that reading all of them costs more than an index.
_ROWS = 20_000
_INDEXES = """
    SELECT c.relname AS name, p.relname AS parent FROM pg_inherits AS i
    INNER JOIN pg_class AS c ON c.oid = i.inhrelid INNER JOIN pg_class AS p ON p.oid = i.inhparent
    WHERE c.relkind = 'i' AND starts_with(p.relname, 'integration_api_logs_')
"""


@pytest.fixture(scope="module")
def connection_id(shared_casino: Casino) -> UUID:
    """One of ten connections with as many calls each, few of which failed."""
    casino = shared_casino
    made = casino.query(
        """
        INSERT INTO integration_connections (tenant_id, provider_key, name, created_by)
        SELECT %s, 'twilio', 'Twilio ' || n, 'subject' FROM generate_series(1, 10) AS g (n) RETURNING connection_id
        """,
        [casino.tenant_id],
    )
    casino.query(
        """
        INSERT INTO integration_api_logs (
            tenant_id, connection_id, method, url, status, milliseconds, error, request_id, actor_kind, actor
        )
        SELECT %s, c.connection_id, 'GET', 'https://h.test',
            CASE WHEN n %% 500 = 1 THEN NULL WHEN n %% 500 < 4 THEN 503 ELSE 200 END,
            1, CASE WHEN n %% 500 = 1 THEN 'TimedOut' END, 'r' || n, 'system', 'test'
        FROM generate_series(1, %s) AS g (n), unnest(%s::uuid[]) AS c (connection_id)
        """,
        [casino.tenant_id, _ROWS // len(made), [row.connection_id for row in made]],
    )
    casino.query("ANALYZE integration_api_logs")
    return made[0].connection_id


def indexes(casino: Casino, statement: LiteralString, parameters: dict[str, Any]) -> set[str]:
    """The table's indexes by which a statement finds its rows; "" if it reads a partition from end to end."""
    parents = {row.name: row.parent.removeprefix("integration_api_logs_") for row in casino.query(_INDEXES)}
    explain: LiteralString = f"EXPLAIN (ANALYZE, COSTS OFF) {statement}"
    with casino.database("hub").transaction(casino.tenant_id) as transaction:
        lines = [row[0] for row in transaction.execute(explain, parameters)]
    found = [line for line in lines if "Scan" in line and "rows=0.00" not in line and "rows=0 " not in line]
    named = [re.search(r"(?:using|Index Scan on) (\S+)", line) for line in found]
    return {"" if one is None else parents.get(one[1], one[1]) for one in named}


@pytest.mark.parametrize(
    ("filters", "index"),
    [
        ({}, "page"),
        ({"error": "TimedOut"}, "failure"),
        ({"statusClass": "5xx"}, "status"),
        ({"requestId": "r500"}, "request"),
        ({"until": "2999-01-01T00:00:00Z"}, "page"),
    ],
    ids=str,
)
def test_filter_reads_an_index(shared_casino: Casino, connection_id: UUID, filters: dict[str, Any], index: str) -> None:
    wanted = PageRequest(listing.PAGES.listing, connection_id, "", 50)
    values = {"connection": connection_id, **CallLogQuery.parse(filters).filters()}
    statement = listing.PAGES.statement(wanted)

    assert indexes(shared_casino, statement, listing.PAGES.parameters(wanted, values)) == {index}


def test_one_call_is_found_by_an_index(shared_casino: Casino, connection_id: UUID) -> None:
    log_id = shared_casino.value(
        "SELECT max(log_id) FROM integration_api_logs WHERE connection_id = %s", [connection_id]
    )
    assert indexes(shared_casino, listing.ENTRY, {"connection": connection_id, "log": log_id}) == {"entry"}
