"""The registry finds a platform's module by the platform's key, and imports nothing else."""

import subprocess
import sys
from pathlib import Path

import pytest

from causeway.platforms import registry
from causeway.platforms.kinds.calendars import Calendars
from causeway.platforms.kinds.errors import ErrorReader

ROOT = Path(__file__).parents[2]
PACKAGES = ROOT / "layers" / "causeway" / "python"
PLATFORMS = PACKAGES / "causeway" / "platforms"
KEYS = {file.stem for file in (ROOT / "schema" / "catalogue").glob("[!_]*.json")}


def test_module_is_found_by_key_and_kind() -> None:
    reader = registry.find("telr", ErrorReader)

    assert reader is not None
    assert reader.read_error(200, {"error": {"message": "Order not found"}}) == "accepted"


@pytest.mark.parametrize("key", ["twilio", "no_such_platform", "telr"])
def test_platform_without_the_module_has_none(key: str) -> None:
    assert registry.find(key, Calendars) is None


@pytest.mark.parametrize("key", sorted(entry.stem for entry in PLATFORMS.iterdir() if entry.stem not in KEYS))
def test_what_stands_beside_the_platforms_folders_is_not_a_platform(key: str) -> None:
    """A super admin may give a new template such a key."""
    assert registry.find(key, ErrorReader) is None


@pytest.mark.parametrize(
    "key", ["", ".", "telr.errors", ".telr", "telr/", "../telr", "vendors.meta_graph", "Telr", "telr\n", "t" * 65, "1"]
)
def test_key_in_another_form_names_no_platform(key: str) -> None:
    """A key that is no module's name makes importlib raise; a key with a dot names another package's module."""
    assert registry.find(key, ErrorReader) is None


def test_only_the_module_that_is_asked_for_is_imported() -> None:
    script = (
        "import sys; from causeway.platforms import registry; from causeway.platforms.kinds.errors import ErrorReader; "
        "registry.find('telr', ErrorReader); "
        "print(*(name for name in sys.modules if name.startswith('causeway.platforms.')))"
    )
    printed = subprocess.run([sys.executable, "-c", script], cwd=PACKAGES, capture_output=True, text=True, check=True)

    names = {name.removeprefix("causeway.platforms.") for name in printed.stdout.split()}
    assert names == {"registry", "kinds", "kinds.errors", "telr", "telr.errors"}
