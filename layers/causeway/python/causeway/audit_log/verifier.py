"""The audit log's verifier: proves that no entry was changed, removed, inserted or moved.

It computes the hashes in Python from the columns, without the SQL function that wrote them.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID

import psycopg

from causeway.database import snapshots

_CHAINS = """
    SELECT tenant_id, h.entries, h.head, a.entry,
        to_char(a.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at,
        a.actor_kind, a.actor, a.actor_role, a.action, a.object_kind, a.object_id, a.outcome,
        a.before::text, a.after::text, a.source_ip, a.request_id, a.previous_hash, a.hash
    FROM audit_log_heads AS h
    FULL JOIN audit_log AS a USING (tenant_id)
    ORDER BY tenant_id, a.entry
"""


@dataclass(frozen=True, slots=True)
class EntryFinding:
    """A fault in a tenant's chain, and the entry that shows it."""

    tenant_id: UUID
    entry: int
    fault: str

    def __str__(self) -> str:
        return f"tenant {self.tenant_id}, entry {self.entry}: {self.fault}"


@dataclass(slots=True)
class ChainTotals:
    """Counts of a run."""

    chains: int = 0
    entries: int = 0


def verify(
    database: psycopg.Connection[Any], totals: ChainTotals, noted: Mapping[tuple[UUID, int], str] | None = None
) -> Iterator[EntryFinding]:
    """Check every chain from its first entry to its head and yield the faults.

    A person with all rights in the database could write a chain again, from some entry to its head. A hash that was
    noted outside the database shows this.

    Args:
        database: of a role that reads every tenant (causeway_auditor).
        totals: counted while the verifier runs.
        noted: hashes in hexadecimal by tenant and entry, noted outside the database; every export has them.
    """
    unmet = dict(noted or {})
    last: Any = None
    for row in snapshots.rows(database, _CHAINS):
        if last is None or last.tenant_id != row.tenant_id:
            yield from _head_findings(last)
            last = None
            totals.chains += 1
        if row.entry is not None:
            totals.entries += 1
            yield from _entry_findings(last, row)
            if unmet.pop((row.tenant_id, row.entry), (row.hash or b"").hex()) != (row.hash or b"").hex():
                yield EntryFinding(row.tenant_id, row.entry, "its hash is not the one that was noted")
        last = row
    yield from _head_findings(last)
    for tenant_id, entry in sorted(unmet):
        yield EntryFinding(tenant_id, entry, "its hash was noted, and it is gone")


def _entry_findings(last: Any, row: Any) -> Iterator[EntryFinding]:
    entry, head = (0, b"") if last is None else (last.entry, bytes(last.hash or b""))
    if row.entry != entry + 1:
        yield EntryFinding(row.tenant_id, row.entry, f"it follows entry {entry}: entries are missing or were put in")
    if bytes(row.previous_hash or b"") != head:
        yield EntryFinding(row.tenant_id, row.entry, "it is chained to another entry than the one before it")
    if bytes(row.hash or b"") != _hash(row):
        yield EntryFinding(row.tenant_id, row.entry, "its fields are not those that were written")


def _head_findings(last: Any) -> Iterator[EntryFinding]:
    if last is None:
        return
    entry, head = (0, b"") if last.entry is None else (last.entry, bytes(last.hash or b""))
    if last.entries is None:
        yield EntryFinding(last.tenant_id, entry, "the chain's head is gone, its entries are there")
    elif (last.entries, bytes(last.head or b"")) != (entry, head):
        yield EntryFinding(last.tenant_id, entry, f"it is the last, but the chain's head is entry {last.entries}")


def _hash(row: Any) -> bytes:
    fields = [
        *(str(row.tenant_id), str(row.entry), row.at, row.actor_kind, row.actor, row.actor_role, row.action),
        *(row.object_kind, row.object_id, row.outcome, row.before, row.after, row.source_ip, row.request_id),
    ]
    # Postgres and Python write JSON alike: a space after a comma, non-ASCII as it is, control characters as \u001f.
    return sha256(bytes(row.previous_hash or b"") + json.dumps(fields, ensure_ascii=False).encode()).digest()
