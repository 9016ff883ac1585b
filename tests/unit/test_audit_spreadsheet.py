"""The audit log as CSV: complete, and without formulas that a spreadsheet would execute."""

import csv
import io
import json
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from causeway.audit_log import spreadsheet
from causeway.audit_log.listing import AuditEntry

FOUND = AuditEntry(
    tenant_id=uuid4(),
    entry=1,
    at=datetime(2030, 1, 2, 3, 4, 5, 6, UTC),
    actor_kind="person",
    actor="subject-1",
    actor_role="tenant_admin",
    action="connection.created",
    object_kind="connection",
    object_id="connection-1",
    outcome="done",
    before=None,
    after={"name": "Zoë's", "limit": 1.5, "tags": ["a", None, True]},
    source_ip="198.51.100.7",
    request_id="request-1",
    hash="00" * 32,
)


def cells(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.parametrize(
    "formula",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1+1", "＝1", '=HYPERLINK("http://x","y")', "=1;2"],  # noqa: RUF001
)
def test_csv_formula_becomes_text(formula: str) -> None:
    found = FOUND.model_copy(update=dict.fromkeys(("actor", "object_id", "request_id", "source_ip"), formula))

    [row] = cells(spreadsheet.as_csv([found]))

    for name in ("actor", "object_id", "request_id", "source_ip"):
        assert row[name] == f"'{formula}"


def test_csv_keeps_everything_else_as_it_is() -> None:
    found = FOUND.model_copy(update={"object_id": 'a "b", c\nd; e = f', "actor": None})

    text = spreadsheet.as_csv([found])
    [row] = cells(text)

    assert (row["object_id"], row["actor"], row["entry"]) == ('a "b", c\nd; e = f', "", "1")
    assert json.loads(row["after"]) == found.after
    assert (row["at"], row["hash"]) == (f"{found.at:%Y-%m-%dT%H:%M:%S.%fZ}", found.hash)
    assert all(line.startswith('"') for line in text.splitlines() if line.strip() and not line.startswith("d; e"))


def test_csv_without_entries_is_its_header() -> None:
    assert spreadsheet.as_csv([]).startswith('"tenant_id","entry","at","actor_kind",')
    assert cells(spreadsheet.as_csv([])) == []
