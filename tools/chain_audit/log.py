"""`python -m tools.chain_audit log`: checks every chain of the audit log."""

import argparse
from uuid import UUID

from causeway.audit_log.verifier import ChainTotals, verify
from tools.chain_audit import runner

SUMMARY = "Check every chain of the audit log; print tenant and entry of each that differs."


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of this audit."""
    parser.add_argument(
        "--noted",
        action="append",
        default=[],
        type=_noted,
        metavar="TENANT:ENTRY:HASH",
        help="a hash from an export: this entry must be there with this hash, and so all before it; may be repeated",
    )


def run(options: argparse.Namespace) -> int:
    """Run the audit; returns the process's exit status."""
    totals = ChainTotals()
    return runner.report(
        options.database_url,
        "audit_log",
        "The log could not be verified",
        lambda database: verify(database, totals, dict(options.noted)),
        lambda: f"{totals.chains} chains, {totals.entries} entries",
    )


def _noted(text: str) -> tuple[tuple[UUID, int], str]:
    try:
        tenant_id, entry, hexadecimal = text.split(":")
        return (UUID(tenant_id), int(entry)), bytes.fromhex(hexadecimal).hex()
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text} is not TENANT:ENTRY:HASH, as an export has them") from error
