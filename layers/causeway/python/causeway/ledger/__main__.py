"""python -m causeway.ledger audit: checks every wallet of every tenant; exits 1 and names the wallets that differ."""

import sys
from collections.abc import Iterator
from typing import Any

import psycopg

from causeway import auditor
from causeway.ledger.audit import Totals, audit


def main() -> int:
    """Run the command; returns the process's exit status."""
    arguments = auditor.command_line("python -m causeway.ledger", __doc__, "audit").parse_args()
    totals = Totals()

    def prove(connection: psycopg.Connection[Any]) -> Iterator[object]:
        yield from audit(connection, totals)
        if totals.wallet_money + totals.house_money != 0:
            yield f"wallets hold {totals.wallet_money}, the house's accounts {totals.house_money}: not zero together"

    def summary() -> str:
        return f"{totals.wallets} wallets, {totals.rows} rows"

    return auditor.run(arguments.database_url, "casino_wallets", "The audit could not run", prove, summary)


if __name__ == "__main__":
    sys.exit(main())
