"""Temporary folders: a living process keeps its own, and the next process removes what a killed one left."""

import os
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from local import ROOT
from local.temporary_folders import temporary_folder

# The holder's process id means nothing here, as if it were in another container: pid_max is at most 2**22.
_HOLDER = """
import os
os.getpid = lambda: 2**22 + 1
from local.temporary_folders import temporary_folder
with temporary_folder("held") as folder:
    print(folder, flush=True)
    input()
"""


@pytest.fixture
def holder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator["subprocess.Popen[str]"]:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with subprocess.Popen(
        [sys.executable, "-c", _HOLDER],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.kill()


def test_folder_is_removed_only_when_its_process_is_gone(holder: "subprocess.Popen[str]") -> None:
    assert holder.stdout is not None
    held = Path(holder.stdout.readline().strip())

    with temporary_folder("held") as folder:
        assert folder != held
    assert not folder.exists()
    assert held.is_dir()

    holder.kill()
    holder.wait()
    with temporary_folder("held"):
        assert not held.exists()


def test_two_folders_of_one_process_do_not_remove_each_other(tmp_path: Path) -> None:
    with temporary_folder("held", tmp_path) as first, temporary_folder("held", tmp_path) as second:
        assert first.is_dir()
        assert second.is_dir()


def test_folders_of_other_names_stay(tmp_path: Path) -> None:
    others = [tmp_path / "held-of-others", tmp_path / "held-0123456789abcdef0", tmp_path / "other-0123456789abcdef"]
    for other in others:
        other.mkdir()
    (tmp_path / "held-0123456789abcdef").symlink_to(others[0])

    with temporary_folder("held", tmp_path):
        pass

    assert all(other.is_dir() for other in others)


def test_permissions_do_not_depend_on_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        with temporary_folder("open", tmp_path, mode=0o711) as folder:
            assert folder.stat().st_mode & 0o777 == 0o711
    finally:
        os.umask(before)
