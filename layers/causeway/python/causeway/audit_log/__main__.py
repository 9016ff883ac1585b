"""python -m causeway.audit_log verify: checks every chain; exits 1 and names tenant and entry of what differs."""

import argparse
import os
import sys
from uuid import UUID

import psycopg

from causeway.audit_log.verifier import Totals, verify

# Whether row-level security would hide tenants from the role, so that nothing is found wrong with no entries.
_IS_BLIND = "SELECT row_security_active('audit_log') AND NOT pg_has_role('causeway_auditor', 'USAGE')"


def _noted(text: str) -> tuple[tuple[str, int], str]:
    tenant_id, entry, hexadecimal = text.split(":")
    return (str(UUID(tenant_id)), int(entry)), bytes.fromhex(hexadecimal).hex()


def main() -> int:
    """Run the command; returns the process's exit status."""
    parser = argparse.ArgumentParser(prog="python -m causeway.audit_log", description=__doc__)
    parser.add_argument("command", choices=["verify"])
    parser.add_argument(
        "--database-url",
        default=os.environ.get("DATABASE_URL"),
        help="of causeway_auditor, or another role that reads every tenant; default: DATABASE_URL",
    )
    parser.add_argument(
        "--noted",
        action="append",
        default=[],
        type=_noted,
        metavar="TENANT:ENTRY:HASH",
        help="a hash from an export: that entry must be there with it, and so all before it; may be repeated",
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
                    "The log could not be verified: the role does not read every tenant, causeway_auditor does\n"
                )
                return 2
            for finding in verify(connection, totals, dict(arguments.noted)):
                faults += 1
                sys.stdout.write(f"{finding}\n")
    except psycopg.Error as error:
        sys.stderr.write(f"The log could not be verified: {str(error).splitlines()[0]}\n")
        return 2
    sys.stdout.write(f"{totals.chains} chains, {totals.entries} entries, {faults} findings\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
