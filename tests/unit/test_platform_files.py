"""A platform lives under its key in four places and is found by its files: a missing file is named."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# The files that every platform has.
FILES = ("schema/catalogue/{key}.json", "local/sandbox/platforms/{key}.py", "tests/platforms/test_{key}.py")
# The file that a platform with code of its own has too.
CODE = "layers/causeway/python/causeway/platforms/{key}/__init__.py"
# Other packages in the same folder.
SHARED = {"kinds", "vendors"}


def keys(root: Path, pattern: str) -> set[str]:
    """Return the keys that have a file of a pattern."""
    before, after = pattern.split("{key}")
    files = root.glob(pattern.format(key="[a-z]*"))
    return {str(file.relative_to(root))[len(before) :].removesuffix(after) for file in files}


def missing(root: Path) -> list[str]:
    """Return the files that a platform of a checkout lacks."""
    found = set[str]().union(*(keys(root, pattern) for pattern in (*FILES, CODE))) - SHARED
    files = [pattern.format(key=key) for key in sorted(found) for pattern in FILES]
    return [file for file in files if not (root / file).exists()]


def test_each_platform_has_all_of_its_files() -> None:
    assert missing(ROOT) == []
    assert "twilio" in keys(ROOT, FILES[0])


@pytest.mark.parametrize("only", [*FILES, CODE])
def test_missing_file_of_a_platform_is_named(tmp_path: Path, only: str) -> None:
    file = tmp_path / only.format(key="toy")
    file.parent.mkdir(parents=True)
    file.touch()

    assert missing(tmp_path) == [pattern.format(key="toy") for pattern in FILES if pattern != only]
