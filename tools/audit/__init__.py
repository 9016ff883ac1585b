"""The audits of ledger and audit log: `python -m tools.audit ledger` and `python -m tools.audit log`."""
