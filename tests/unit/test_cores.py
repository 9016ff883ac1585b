"""How many workers `make test` starts."""

import os
from pathlib import Path

import pytest

from tests.cores import usable

CORES = len(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("quota", "expected"),
    [
        ("max 100000\n", CORES),
        ("100000 100000\n", 1),
        ("50000 100000\n", 1),
        ("110000 100000\n", min(2, CORES)),
        ("999900000 100000\n", CORES),
        ("", CORES),
    ],
)
def test_quota_of_the_control_group_bounds_the_cores(tmp_path: Path, quota: str, expected: int) -> None:
    file = tmp_path / "cpu.max"
    file.write_text(quota)

    assert usable(file) == expected


def test_machine_without_control_groups_has_the_cores_of_its_affinity(tmp_path: Path) -> None:
    assert usable(tmp_path / "missing") == CORES
