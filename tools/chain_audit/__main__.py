"""python -m tools.chain_audit: `ledger` checks every wallet, `log` checks every chain of the audit log.

Exits 0 if nothing is wrong, 1 after printing what is wrong, 2 if the audit could not run.
"""

import argparse
import os
import sys

from tools.chain_audit import ledger, log

_AUDITS = {"ledger": ledger, "log": log}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.chain_audit", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, audit in _AUDITS.items():
        command = commands.add_parser(name, help=audit.SUMMARY, description=audit.SUMMARY)
        command.add_argument(
            "--database-url",
            default=os.environ.get("DATABASE_URL"),
            help="of causeway_auditor, or another role that reads every tenant; default: DATABASE_URL",
        )
        audit.add_options(command)
    return parser


def main() -> int:
    """Run the command; returns the process's exit status."""
    parser = _parser()
    options = parser.parse_args()
    if not options.database_url:
        parser.error("set DATABASE_URL to the URL of causeway_auditor, or of another role that reads every tenant")
    return _AUDITS[options.command].run(options)


if __name__ == "__main__":
    sys.exit(main())
