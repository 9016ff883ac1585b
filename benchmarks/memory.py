"""The memory of a wallet's execution environment after 1000 debits."""

import re
from pathlib import Path

from benchmarks.gateway_call import DebitClient
from benchmarks.table import Row
from local.stack import Stack
from local.temporary_folders import temporary_folder

# MiB resident.
_BOUND = 90


def run() -> list[Row]:
    """Read the environment's resident set from the kernel."""
    with (
        temporary_folder("causeway-bench") as folder,
        Stack(state_folder=folder) as stack,
    ):
        client = DebitClient(stack.base_url)
        for _ in range(1000):
            client.debit()
        environment = stack.environments("wallet-debit")[0]
        status = Path(f"/proc/{environment.pid}/status").read_text()
    match = re.search(r"VmRSS:\s+(\d+) kB", status)
    resident = int(match[1]) / 1024 if match else 0.0
    return [Row("memory of a wallet environment / 90 MiB", f"{resident:.0f} MiB", resident / _BOUND, at_most=1.0)]
