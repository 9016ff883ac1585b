"""The lock files of the project, and the packages in them."""

import re
from dataclasses import dataclass
from pathlib import Path

# What is deployed: the layer of third-party packages. No function has packages of its own.
DEPLOYED = "layers/vendor/requirements.txt"
_PINNED = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;\\]+)(?:\s*;\s*([^\\]+))?", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Locked:
    """A package in a lock file.

    Attributes:
        name: as the lock file has it, which is normalized.
        version: the one version.
        marker: where it is installed, such as sys_platform == 'win32'; empty: everywhere.
    """

    name: str
    version: str
    marker: str = ""


def every(root: Path) -> list[str]:
    """Return the paths of all lock files, from the repository's folder."""
    return [DEPLOYED, *sorted(str(path.relative_to(root)) for path in (root / "requirements").glob("*.txt"))]


def packages(file: Path) -> list[Locked]:
    """Return what a lock file has.

    Raises:
        ValueError: the file has no package, so it is no lock file.
    """
    found = [Locked(*(part.strip() for part in parts)) for parts in _PINNED.findall(file.read_text(encoding="utf-8"))]
    if not found:
        raise ValueError(f"{file} locks no package")
    return found
