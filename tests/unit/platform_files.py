"""The files of the platforms: those that each must have, and those that are missing."""

from pathlib import Path

from causeway.platforms.registry import RESERVED

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
