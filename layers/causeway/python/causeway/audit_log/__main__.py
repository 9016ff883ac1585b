"""python -m causeway.audit_log verify: checks every chain; exits 1 and names tenant and entry of what differs."""

import sys
from uuid import UUID

from causeway import auditor
from causeway.audit_log.verifier import Totals, verify


def _noted(text: str) -> tuple[tuple[str, int], str]:
    tenant_id, entry, hexadecimal = text.split(":")
    return (str(UUID(tenant_id)), int(entry)), bytes.fromhex(hexadecimal).hex()


def main() -> int:
    """Run the command; returns the process's exit status."""
    parser = auditor.command_line("python -m causeway.audit_log", __doc__, "verify")
    parser.add_argument(
        "--noted",
        action="append",
        default=[],
        type=_noted,
        metavar="TENANT:ENTRY:HASH",
        help="a hash from an export: that entry must be there with it, and so all before it; may be repeated",
    )
    arguments = parser.parse_args()
    totals = Totals()
    return auditor.run(
        arguments.database_url,
        "audit_log",
        "The log could not be verified",
        lambda connection: verify(connection, totals, dict(arguments.noted)),
        lambda: f"{totals.chains} chains, {totals.entries} entries",
    )


if __name__ == "__main__":
    sys.exit(main())
