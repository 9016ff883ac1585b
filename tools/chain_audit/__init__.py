"""The audits of ledger and audit log: `python -m tools.chain_audit ledger` and `python -m tools.chain_audit log`."""
