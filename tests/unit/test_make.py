"""The commands of the Makefile that need no environment."""

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_clean_leaves_nothing_that_git_ignores(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    for pattern in (ROOT / ".gitignore").read_text().splitlines():
        path = tmp_path / pattern.replace("*", "x")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    cache = tmp_path / "layers" / "__pycache__"
    cache.mkdir(parents=True)

    subprocess.run(["make", "clean"], cwd=tmp_path, check=True, capture_output=True, timeout=60)

    left = [path.name for path in tmp_path.rglob("*") if path.is_file() or path == cache]
    assert left == ["Makefile"]
