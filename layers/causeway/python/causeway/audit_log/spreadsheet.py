"""The audit log as CSV; no cell is a formula to a spreadsheet."""

import csv
import io
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from causeway.audit_log.listing import AuditEntry

# A cell that begins with one of these is a formula to spreadsheets (OWASP, CSV Injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001

_COLUMNS = tuple(AuditEntry.model_fields)


def as_csv(records: Iterable[AuditEntry]) -> str:
    """Return records as CSV (RFC 4180) with a header, every cell quoted.

    A cell that would be a formula gets an apostrophe in front.
    """
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(_COLUMNS)
    for entry in records:
        writer.writerow([_cell(getattr(entry, name)) for name in _COLUMNS])
    return text.getvalue()


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case datetime():
            return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        case dict() | list():
            value = json.dumps(value, ensure_ascii=False)
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) or text.lstrip().startswith(_FORMULA) else text
