"""All files name the same tested Python versions, and a command runs with the version it is given."""

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FIND = ROOT / "requirements" / "find-python"
TOOLS = ("bash", "env", "dirname", "basename", "cmp")


def versions() -> list[str]:
    """The tested minor versions, newest first."""
    found = re.search('^tested="(.*)"', FIND.read_text(), re.MULTILINE)
    assert found is not None
    return found[1].split()


def run(*command: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a person would, not as part of `make test`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "PYTHON"))}
    environment = kept | variables
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def without_pythons(tmp_path: Path) -> dict[str, str]:
    """The environment of a machine that has the shell's tools and no Python."""
    for tool in TOOLS:
        found = subprocess.run(["which", tool], capture_output=True, text=True, check=True).stdout.strip()
        (tmp_path / tool).symlink_to(found)
    return {"PATH": str(tmp_path), "PYENV_ROOT": str(tmp_path)}


def test_every_file_names_the_same_versions() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    newest, *_, oldest = versions()

    assert f"oldest={oldest}\n" in (ROOT / ".ci" / "run").read_text()
    assert project["tool"]["ruff"]["target-version"] == f"py{oldest.replace('.', '')}"
    assert project["tool"]["ty"]["environment"]["python-version"] == oldest
    assert f"--python-version {oldest} " in (ROOT / "requirements" / "lock").read_text()
    assert f"Python {oldest} to {newest}" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("target", ["demo", "up", "test", "check", "docs", "bench"])
def test_target_runs_the_given_python_in_a_separate_environment(target: str) -> None:
    plain, given = (run("make", "--dry-run", target, *word) for word in ((), ("PYTHON=3.11",)))

    assert ".venv/bin/python -" in plain.stdout
    assert ".venv-3.11" not in plain.stdout
    assert re.search(r"requirements/install '\.venv-3\.11' requirements/\w+\.txt '3\.11'", given.stdout)
    assert ".venv-3.11/bin/python -" in given.stdout
    assert ".venv/" not in given.stdout


@pytest.mark.parametrize("version", ["3.9", "3", "3.1", "3.111", "abc", "3.12 3.11", "../elsewhere", "3.11;true"])
def test_version_that_is_not_tested_is_refused_before_anything_is_made(version: str) -> None:
    made = run("make", "demo", f"PYTHON={version}")

    assert made.returncode != 0
    assert f"PYTHON={version} is not a tested version. Choose one of {' '.join(versions())}, or leave" in made.stderr
    assert not (ROOT / f".venv-{version}").exists()
    assert not (ROOT / f".venv-{version}.lock").exists()


def test_missing_version_is_named_with_an_instruction(without_pythons: dict[str, str], tmp_path: Path) -> None:
    found = run(
        ROOT / "requirements" / "install", str(tmp_path / "made"), "requirements/run.txt", "3.12", **without_pythons
    )

    assert found.returncode != 0
    assert "No usable Python found: wanted 3.12" in found.stderr
    assert "`pyenv install 3.12`" in found.stderr
    assert "leave PYTHON out" in found.stderr
    assert not (tmp_path / "made").exists()


def test_machine_without_a_tested_python_gets_an_instruction(without_pythons: dict[str, str]) -> None:
    found = run(FIND, **without_pythons)

    assert found.returncode != 0
    assert f"wanted one of {' '.join(versions())}" in found.stderr
    assert f"`pyenv install {versions()[0]}`" in found.stderr


def test_continuous_integration_ends_at_once_without_the_oldest_python(without_pythons: dict[str, str]) -> None:
    ended = run(ROOT / ".ci" / "run", **without_pythons)

    assert ended.returncode != 0
    assert ended.stdout == ""
    assert f"No usable Python found: wanted {versions()[-1]}" in ended.stderr
