"""The command that audits the records: `python -m tools.audit ledger` and `python -m tools.audit log`."""
