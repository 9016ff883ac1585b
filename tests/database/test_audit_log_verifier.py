"""The audit log's verifier: no findings in an unchanged log, a finding for every later change."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event
from uuid import UUID

import pytest

from causeway.audit_log import entries
from causeway.audit_log.entries import DEPLOYMENT
from causeway.database.postgres import Database
from tests.database.audit_hub import CREATED, Hub, opened_hub
from tests.database.clones import Cluster
from tests.database.parallel import at_once
from tests.findings import none_of

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def shared(cluster: Cluster) -> Iterator[Hub]:
    """A hub for the module; each test makes its own tenants; verified after the last."""
    with opened_hub(cluster) as hub:
        yield hub
        none_of(hub.findings())


@pytest.fixture
def hub(cluster: Cluster) -> Iterator[Hub]:
    """A hub for one test, to tamper with."""
    with opened_hub(cluster) as hub:
        yield hub


def filled(hub: Hub) -> tuple[UUID, UUID]:
    """Eight entries of one tenant, three of another, one of the deployment."""
    tenant_id, other = hub.tenant(), hub.tenant()
    hub.write(tenant_id, *(replace(CREATED, request_id=f"request-{number}") for number in range(1, 9)))
    hub.write(other, CREATED, CREATED, CREATED)
    hub.write(DEPLOYMENT, CREATED)
    none_of(hub.findings())
    return tenant_id, other


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command as an operator does."""
    return subprocess.run(
        [sys.executable, "-m", "tools.chain_audit", *arguments],
        cwd=ROOT,
        env={"PATH": os.defpath, "PYTHONPATH": "layers/causeway/python", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


CHANGED_FIELDS = {
    "at": "at + interval '1 microsecond'",
    "at forever": "'infinity'",
    "actor_kind": "'system'",
    "actor": "'subject-2'",
    "actor gone": "NULL",
    "actor_role": "'staff'",
    "action": "'connection.deleted'",
    "object_kind": "'template'",
    "object_id": "'connection-2'",
    "outcome": "'refused'",
    "before": "'{}'",
    "before null": "'null'",
    "after": "after || '{\"limit\": 2}'",
    "after nicer": "jsonb_set(after, '{auth_token}', '\"hmac:0011223344556678\"')",
    "source_ip": "'198.51.100.8'",
    "request_id": "request_id || ' '",
    "previous_hash": "sha256(previous_hash)",
    "hash": "sha256(hash)",
}


@pytest.mark.parametrize("column", CHANGED_FIELDS)
def test_changed_field_is_found_at_its_entry(hub: Hub, column: str) -> None:
    """HUB 44."""
    tenant_id, _ = filled(hub)
    name, change = column.split(maxsplit=1)[0], CHANGED_FIELDS[column]
    hub.tamper(f"UPDATE audit_log SET {name} = {change} WHERE tenant_id = %(t)s AND entry = 4", t=tenant_id)  # noqa: S608

    found = hub.findings()
    assert found
    assert found[0].startswith(f"tenant {tenant_id}, entry {4}: ")


def test_text_moved_to_the_next_field_is_found(hub: Hub) -> None:
    tenant_id, _ = filled(hub)
    hub.tamper("UPDATE audit_log SET source_ip = request_id, request_id = source_ip WHERE entry = 4")
    assert any(f"tenant {tenant_id}, entry 4: its fields" in finding for finding in hub.findings())


# Changes of the chain of eight entries, and the entry at which each is found first.
TAMPERED: dict[str, tuple[list[str], int]] = {
    "first deleted": (["DELETE FROM audit_log WHERE tenant_id = %(t)s AND entry = 1"], 2),
    "middle deleted": (["DELETE FROM audit_log WHERE tenant_id = %(t)s AND entry = 4"], 5),
    "middle deleted, the rest moved up": (
        [
            "DELETE FROM audit_log WHERE tenant_id = %(t)s AND entry = 4",
            "UPDATE audit_log SET entry = entry - 1 WHERE tenant_id = %(t)s AND entry > 4",
            "UPDATE audit_log_heads SET entries = 7 WHERE tenant_id = %(t)s",
        ],
        4,
    ),
    "tail cut off": (["DELETE FROM audit_log WHERE tenant_id = %(t)s AND entry > 6"], 6),
    "tail cut off and counted": (
        [
            "DELETE FROM audit_log WHERE tenant_id = %(t)s AND entry > 6",
            "UPDATE audit_log_heads SET entries = 6 WHERE tenant_id = %(t)s",
        ],
        6,
    ),
    "all cut off": (["DELETE FROM audit_log WHERE tenant_id = %(t)s"], 0),
    "head gone": (["DELETE FROM audit_log_heads WHERE tenant_id = %(t)s"], 8),
    "head wound back": (
        [
            """
            UPDATE audit_log_heads AS h SET entries = a.entry, head = a.hash FROM audit_log AS a
            WHERE h.tenant_id = %(t)s AND a.tenant_id = %(t)s AND a.entry = 7
            """
        ],
        8,
    ),
    "put in at the end": (
        [
            """
            INSERT INTO audit_log SELECT (jsonb_populate_record(a, '{"entry": 9}')).* FROM audit_log AS a
            WHERE tenant_id = %(t)s AND entry = 8
            """
        ],
        9,
    ),
    "put in at the end, chained and counted": (
        [
            """
            INSERT INTO audit_log
            SELECT (jsonb_populate_record(a, jsonb_build_object('entry', 9, 'previous_hash', a.hash))).*
            FROM audit_log AS a WHERE tenant_id = %(t)s AND entry = 8
            """,
            "UPDATE audit_log_heads SET entries = 9 WHERE tenant_id = %(t)s",
        ],
        9,
    ),
    "put in before the first": (
        [
            # A number's CHECK holds nobody who owns the table.
            "ALTER TABLE audit_log DROP CONSTRAINT audit_log_entry_check",
            """
            INSERT INTO audit_log SELECT (jsonb_populate_record(a, '{"entry": 0}')).* FROM audit_log AS a
            WHERE tenant_id = %(t)s AND entry = 1
            """,
        ],
        0,
    ),
    "two swapped": (
        [
            "UPDATE audit_log SET entry = 100 WHERE tenant_id = %(t)s AND entry = 4",
            "UPDATE audit_log SET entry = 4 WHERE tenant_id = %(t)s AND entry = 5",
            "UPDATE audit_log SET entry = 5 WHERE tenant_id = %(t)s AND entry = 100",
        ],
        4,
    ),
    "two swapped with their hashes left in place": (
        [
            """
            UPDATE audit_log AS a SET request_id = b.request_id, at = b.at FROM audit_log AS b
            WHERE a.tenant_id = %(t)s AND b.tenant_id = %(t)s AND (a.entry, b.entry) IN ((4, 5), (5, 4))
            """
        ],
        4,
    ),
    "another tenant's put in its place": (
        [
            """
            UPDATE audit_log AS a
            SET actor = b.actor, at = b.at, request_id = b.request_id, hash = b.hash, previous_hash = b.previous_hash
            FROM audit_log AS b WHERE a.tenant_id = %(t)s AND b.tenant_id = %(o)s AND a.entry = 1 AND b.entry = 1
            """
        ],
        1,
    ),
    "changed and hashed anew": (
        [
            "UPDATE audit_log SET actor = 'x' WHERE tenant_id = %(t)s AND entry = 4",
            """
            UPDATE audit_log SET hash = sha256(previous_hash || convert_to(jsonb_build_array(
                tenant_id::text, entry::text, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                actor_kind, actor, actor_role, action, object_kind, object_id, outcome, before::text, after::text,
                source_ip, request_id)::text, 'UTF8'))
            WHERE tenant_id = %(t)s AND entry = 4
            """,
        ],
        5,
    ),
}


@pytest.mark.parametrize("tampering", TAMPERED)
def test_tampering_is_found_and_named_by_the_command(hub: Hub, tampering: str) -> None:
    """HUB 44: with full access, triggers and keys switched off; only that tenant's chain has findings."""
    tenant_id, other = filled(hub)
    statements, entry = TAMPERED[tampering]
    hub.tamper(*statements, t=tenant_id, o=other)

    result = run("log", "--database-url", hub.urls["auditor"])

    assert (result.returncode, result.stderr) == (1, ""), result.stdout
    *findings, last = result.stdout.splitlines()
    assert findings[0].startswith(f"tenant {tenant_id}, entry {entry}: ")
    assert all(finding.startswith(f"tenant {tenant_id}, ") for finding in findings)
    assert last.endswith(f" entries, {len(findings)} findings")


REWRITE = """
    DO $$
    DECLARE
        v audit_log;
        v_head bytea := '';
    BEGIN
        FOR v IN SELECT * FROM audit_log WHERE tenant_id = '{tenant}' ORDER BY entry LOOP
            UPDATE audit_log SET previous_hash = v_head, hash = sha256(v_head || convert_to(jsonb_build_array(
                tenant_id::text, entry::text, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                actor_kind, actor, actor_role, action, object_kind, object_id, outcome, before::text, after::text,
                source_ip, request_id)::text, 'UTF8'))
            WHERE tenant_id = v.tenant_id AND entry = v.entry RETURNING hash INTO v_head;
        END LOOP;
        UPDATE audit_log_heads SET head = v_head WHERE tenant_id = '{tenant}';
    END $$
"""


def test_rewritten_chain_is_found_by_a_noted_hash(hub: Hub) -> None:
    """Nothing else can show it: somebody with full access can make the tables say anything."""
    tenant_id, other = filled(hub)
    noted = [f"--noted={found.tenant_id}:{found.entry}:{found.hash}" for found in hub.read(tenant_id)]
    others = [f"--noted={found.tenant_id}:{found.entry}:{found.hash}" for found in hub.read(other)]
    url = f"--database-url={hub.urls['auditor']}"
    assert run("log", url, *noted, *others).returncode == 0
    hub.tamper("UPDATE audit_log SET actor = 'x' WHERE tenant_id = %(t)s AND entry = 3", t=tenant_id)
    with hub.superuser.transaction():
        hub.superuser.execute("SET LOCAL session_replication_role = replica")
        hub.superuser.execute(REWRITE.format(tenant=tenant_id).encode())

    assert run("log", url).returncode == 0
    result = run("log", url, *noted, *others)

    assert result.returncode == 1
    assert result.stdout.splitlines()[:-1] == [
        f"tenant {tenant_id}, entry {entry}: its hash is not the one that was noted" for entry in range(3, 9)
    ]


def test_gap_in_a_rewritten_chain_is_found(hub: Hub) -> None:
    tenant_id, _ = filled(hub)
    hub.tamper("DELETE FROM audit_log WHERE tenant_id = %(t)s AND entry = 4", t=tenant_id)
    with hub.superuser.transaction():
        hub.superuser.execute("SET LOCAL session_replication_role = replica")
        hub.superuser.execute(REWRITE.format(tenant=tenant_id).encode())

    assert [finding.split(":")[0] for finding in hub.findings()] == [
        f"tenant {tenant_id}, entry 5",
    ]


def test_missing_noted_entry_is_found(hub: Hub) -> None:
    """A whole chain with its head was removed."""
    tenant_id, _ = filled(hub)
    newest, *_ = hub.read(tenant_id)
    hub.tamper(
        "DELETE FROM audit_log WHERE tenant_id = %(t)s",
        "DELETE FROM audit_log_heads WHERE tenant_id = %(t)s",
        t=tenant_id,
    )
    url = f"--database-url={hub.urls['auditor']}"

    assert run("log", url).returncode == 0
    result = run("log", url, "--noted", f"{str(tenant_id).upper()}:8:{newest.hash.upper()}")
    assert result.stdout.splitlines()[0] == f"tenant {tenant_id}, entry 8: its hash was noted, and it is gone"
    assert result.returncode == 1


@pytest.mark.parametrize("noted", ["", "1:2:3", f"{DEPLOYMENT}:1", f"{DEPLOYMENT}:x:00", f"{DEPLOYMENT}:1:zz"])
def test_malformed_note_is_refused(noted: str) -> None:
    result = run("log", "--database-url", "postgresql:///none", "--noted", noted)
    assert (result.returncode, "is not TENANT:ENTRY:HASH, as an export has them" in result.stderr) == (2, True)


def test_faults_of_several_chains_are_all_found(hub: Hub) -> None:
    tenant_id, other = filled(hub)
    hub.tamper("UPDATE audit_log SET actor = 'x' WHERE entry = 1")

    findings = hub.findings()
    assert {finding.split(",")[0] for finding in findings} == {f"tenant {t}" for t in (tenant_id, other, DEPLOYMENT)}


def test_unchanged_log_is_clean(hub: Hub) -> None:
    """The database is given in both possible ways; also for a superuser."""
    filled(hub)
    for result in (
        run("log", "--database-url", hub.urls["auditor"]),
        run("log", "--database-url", hub.urls["superuser"]),
        run("log", DATABASE_URL=hub.urls["auditor"]),
    ):
        assert (result.returncode, result.stderr, result.stdout) == (0, "", "3 chains, 12 entries, 0 findings\n")


def test_unused_log_is_clean(hub: Hub) -> None:
    result = run("log", "--database-url", hub.urls["auditor"])
    assert (result.returncode, result.stdout) == (0, "0 chains, 0 entries, 0 findings\n")


def test_role_that_sees_no_tenant_cannot_verify(shared: Hub) -> None:
    result = run("log", "--database-url", shared.urls["hub"])
    assert (result.returncode, result.stdout) == (2, "")
    assert "causeway_auditor" in result.stderr


def test_unreachable_database_is_not_a_clean_log() -> None:
    result = run("log", "--database-url", "postgresql://nobody@127.0.0.1:1/none")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("The log could not be verified: ")


def test_verifier_reads_one_snapshot_while_others_write(shared: Hub) -> None:
    tenant_id, stop = shared.tenant(), Event()

    def write() -> int:
        database, written = Database(conninfo=shared.urls["hub"]), 0
        while not stop.is_set():
            written = entries.record_in_own_transaction(database, tenant_id, CREATED) or 0
        database.close()
        return written

    def verify() -> int:
        try:
            return sum(len(shared.findings()) for _ in range(10))
        finally:
            stop.set()

    findings, *written = at_once([verify, write, write])
    assert (findings, max(written) > 0) == (0, True)
