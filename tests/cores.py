"""How many cores the tests may use."""

import os
from math import ceil
from pathlib import Path

# Of a container that `docker run --cpus` or Kubernetes bounds: "max 100000", or "150000 100000" for 1.5 cores.
# https://docs.kernel.org/admin-guide/cgroup-v2.html#cpu-interface-files
QUOTA = Path("/sys/fs/cgroup/cpu.max")


def usable(quota: Path = QUOTA) -> int:
    """The cores that this process may run on, by its affinity and its control group's quota; at least one."""
    count = len(os.sched_getaffinity(0))
    try:
        share, period = quota.read_text().split()
    except (OSError, ValueError):
        return count
    return count if share == "max" else max(1, min(count, ceil(int(share) / int(period))))
