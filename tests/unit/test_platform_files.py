"""A platform lives under its key in four places and is found by its files: a missing file is named."""

from pathlib import Path

import pytest

from causeway.platforms.registry import RESERVED

ROOT = Path(__file__).parents[2]
# The files that every platform has.
FILES = ("schema/catalogue/{key}.json", "local/sandbox/platforms/{key}.py", "tests/platforms/test_{key}.py")
# The folder of a platform with code of its own, and the file that makes it a package.
CODE = "layers/causeway/python/causeway/platforms/{key}"
INIT = f"{CODE}/__init__.py"


def keys(root: Path, pattern: str) -> set[str]:
    """Return the keys that have a file of a pattern."""
    before, after = pattern.split("{key}")
    files = root.glob(pattern.format(key="[a-z]*"))
    return {str(file.relative_to(root))[len(before) :].removesuffix(after) for file in files}


def with_code(root: Path) -> set[str]:
    """Return the keys of the platforms' folders that have a module."""
    return {file.parent.name for file in root.glob(f"{CODE.format(key='[a-z]*')}/*.py")} - RESERVED


def missing(root: Path) -> list[str]:
    """Return the files that a platform of a checkout lacks."""
    code = with_code(root)
    found = code.union(*(keys(root, pattern) for pattern in FILES))
    files = [pattern.format(key=key) for key in sorted(found) for pattern in (*FILES, *([INIT] if key in code else []))]
    return [file for file in files if not (root / file).exists()]


def test_each_platform_has_all_of_its_files() -> None:
    lacks = missing(ROOT)
    if lacks:
        lines = [f"{file} is missing: docs/development.md, Add a platform" for file in lacks]
        pytest.fail("\n".join(lines), pytrace=False)
    assert "twilio" in keys(ROOT, FILES[0])
    assert "telr" in with_code(ROOT)


@pytest.mark.parametrize("only", [*FILES, INIT, f"{CODE}/messages.py"])
def test_missing_file_of_a_platform_is_named(tmp_path: Path, only: str) -> None:
    file = tmp_path / only.format(key="toy")
    file.parent.mkdir(parents=True)
    file.touch()

    required = FILES if only in FILES else (*FILES, INIT)
    assert missing(tmp_path) == [pattern.format(key="toy") for pattern in required if pattern != only]
