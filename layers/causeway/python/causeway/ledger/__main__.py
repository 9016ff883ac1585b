"""python -m causeway.ledger audit: checks every wallet of every tenant; exits 1 and names the wallets that differ."""

import argparse
import os
import sys

import psycopg

from causeway.ledger.audit import Totals, audit

# Whether row-level security would hide tenants from the role, so that the audit finds nothing wrong with no rows.
_IS_BLIND = "SELECT row_security_active('casino_wallets') AND NOT pg_has_role('causeway_auditor', 'USAGE')"


def main() -> int:
    """Run the command; returns the process's exit status."""
    parser = argparse.ArgumentParser(prog="python -m causeway.ledger", description=__doc__)
    parser.add_argument("command", choices=["audit"])
    parser.add_argument(
        "--database-url",
        default=os.environ.get("DATABASE_URL"),
        help="of causeway_auditor, or another role that reads every tenant; default: DATABASE_URL",
    )
    arguments = parser.parse_args()
    if not arguments.database_url:
        parser.error("give --database-url or DATABASE_URL")
    totals = Totals()
    faults = 0
    try:
        with psycopg.connect(arguments.database_url, autocommit=True) as connection:
            if connection.execute(_IS_BLIND).fetchone() == (True,):
                sys.stderr.write(
                    "The audit could not run: the role does not read every tenant, causeway_auditor does\n"
                )
                return 2
            for finding in audit(connection, totals):
                faults += 1
                sys.stdout.write(f"{finding}\n")
    except psycopg.Error as error:
        sys.stderr.write(f"The audit could not run: {str(error).splitlines()[0]}\n")
        return 2
    if totals.wallet_money + totals.house_money != 0:
        faults += 1
        sys.stdout.write(
            f"wallets hold {totals.wallet_money}, the house's accounts {totals.house_money}: not zero together\n"
        )
    sys.stdout.write(f"{totals.wallets} wallets, {totals.rows} rows, {faults} findings\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
