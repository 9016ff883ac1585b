"""python -m benchmarks [NAME ...]: runs the benchmarks and prints the table."""

import argparse
import os
import platform
import sys
from importlib import import_module

from benchmarks.table import Row, show

# In the order of the table; each module has run() -> list[Row].
NAMES = (
    "debit_function",
    "debit_instructions",
    "python_ledger",
    "hot_wallet",
    "five_statements",
    "growth",
    "gateway_call",
    "start_up",
    "memory",
    "credential_open",
    "connection_use",
    "kept_connections",
    "rate_limits",
    "redaction",
)


def main() -> int:
    """Run the benchmarks that the command line names; return 0 if every ratio keeps its bounds."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; default: all")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(NAMES):
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    print(f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}", flush=True)
    rows: list[Row] = []
    for name in arguments.names or NAMES:
        print(f"  {name} ...", file=sys.stderr, flush=True)
        rows += import_module(f"benchmarks.{name}").run()
    show(rows)
    return 0 if all(row.kept for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
