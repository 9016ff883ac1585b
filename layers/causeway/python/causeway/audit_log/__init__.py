"""The audit log: who did what to what, from where, and what came of it; one hash chain per tenant."""

from causeway.audit_log.entries import (
    LISTING,
    PLATFORM,
    Action,
    Entry,
    Filter,
    Record,
    attempt,
    page,
    record,
    record_apart,
)
from causeway.audit_log.fingerprints import fingerprint, fingerprint_key, redacted
from causeway.audit_log.requests import Query
from causeway.audit_log.spreadsheet import as_csv

__all__ = [
    "LISTING",
    "PLATFORM",
    "Action",
    "Entry",
    "Filter",
    "Query",
    "Record",
    "as_csv",
    "attempt",
    "fingerprint",
    "fingerprint_key",
    "page",
    "record",
    "record_apart",
    "redacted",
]
