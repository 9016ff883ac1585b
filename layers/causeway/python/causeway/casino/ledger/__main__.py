"""python -m causeway.casino.ledger audit: checks every wallet; exits 1 and names those that differ.

The heads of the chains and settled facts are signed with the key in LEDGER_AUDIT_KEY, and compared with what earlier
audits signed.
"""

import sys
from collections.abc import Iterator
from typing import Any

import psycopg

from causeway import auditor, settings
from causeway.casino.ledger.audit import Totals, audit
from causeway.casino.ledger.heads import SignedHeads
from causeway.errors.service import Misconfigured

_FAILURE = "The audit could not run"


def main() -> int:
    """Run the command; returns the process's exit status."""
    parser = auditor.command_line("python -m causeway.casino.ledger", __doc__, "audit")
    signing = parser.add_mutually_exclusive_group()
    signing.add_argument(
        "--without-heads",
        action="store_true",
        help="look at nothing signed and sign nothing (on a replica, or without the key): a rewritten past, a cut tail "
        "or a changed fact is not found",
    )
    signing.add_argument(
        "--new-series",
        action="store_true",
        help="begin anew with a new key, after the key of the runs before was lost or became known: what they signed "
        "is not compared, which is a finding of this run",
    )
    arguments = parser.parse_args()
    totals = Totals()
    signed = [""]

    def prove(connection: psycopg.Connection[Any]) -> Iterator[object]:
        heads = None
        if not arguments.without_heads:
            heads = SignedHeads(connection, settings.ledger_audit_key(), new_series=arguments.new_series)
        yield from audit(connection, totals, heads)
        if totals.wallet_money + totals.house_money != 0:
            yield f"wallets hold {totals.wallet_money}, the house's accounts {totals.house_money}: not zero together"
        if heads is not None:
            run = heads.write(connection)
            signed[0] = ", nothing signed" if run is None else f", audit run {run}"

    def summary() -> str:
        return f"{totals.wallets} wallets, {totals.rows} rows{signed[0]}"

    try:
        return auditor.run(arguments.database_url, "casino_wallets", _FAILURE, prove, summary)
    except Misconfigured as error:
        sys.stderr.write(f"{_FAILURE}: {error}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
