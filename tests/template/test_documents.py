"""The documents are true: commands run with each tested Python, links lead to files, figures agree."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import get_args

import pytest

from causeway.tenancy.permissions import Permission
from local.account import REGION
from tests.findings import none_of

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PACKAGE = ROOT / "layers" / "causeway" / "python" / "causeway"
FOLDERS = (ROOT, PACKAGE, PACKAGE.parent, ROOT / "layers", ROOT / "tests", ROOT / "tools" / "openapi")
WINGS = {path.stem for path in PACKAGE.iterdir()}
PERMISSIONS = get_args(Permission)


def run(*arguments: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run the machine's Python without third-party packages."""
    command = [sys.executable, "-S", *arguments]
    return subprocess.run(command, cwd=folder, env={}, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_commands_of_a_document_run_in_a_new_clone(document: Path) -> None:
    """They are make's, which makes the environment first: a Python of an environment may not be there."""
    text = document.read_text()
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)

    assert set(re.findall(r"(?:^|`)make ([a-z-]+)", text, re.MULTILINE)) <= set(targets)
    none_of(re.findall(r".*\.venv(?:-3\.\d+)?/bin/.*", text), "give a command of make")


@pytest.mark.parametrize("document", ["README.md", "docs/development.md"])
def test_commands_that_accept_a_version_of_python_are_named(document: str) -> None:
    recipes = re.findall(r"^([a-z-]+):.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    listed = re.search(r"`make (demo`[^.;]*) accept\s+`PYTHON=", (ROOT / document).read_text())

    assert listed
    assert set(re.findall(r"[a-z-]+(?=`)", listed[1])) == {name for name, recipe in recipes if "$(INSTALL)" in recipe}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_to_files_lead_to_files(document: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", document.read_text())

    none_of((link for link in links if not (document.parent / link).exists()), f"{document.name} links to it")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_files_and_modules_that_a_document_names_exist(document: Path) -> None:
    """A path may begin in the repository, in the package or in one of the folders that the text is about."""
    named = re.findall(r"`([^`\n]+)`", document.read_text())
    files = [name for name in named if re.fullmatch(r"\w[\w-]*/(?:[\w.-]+/)*(?:[\w.-]+\.(?:py|sql|json))?", name)]
    dotted = {name for name in named if re.fullmatch(r"\w+(?:\.\w+)+(?<!\.py)", name)} - set(PERMISSIONS)
    names = [name.removeprefix("causeway.") for name in sorted(dotted) if name.split(".")[0] in WINGS | {"causeway"}]

    assert [name for name in files if not any((folder / name).exists() for folder in FOLDERS)] == []
    assert [name for name in names if not is_in_package(name)] == []


def is_in_package(name: str) -> bool:
    """Whether a dotted name is a wing, a module, or a name that its module defines."""
    parts = name.split(".")
    if (PACKAGE / "/".join(parts)).is_dir() or (PACKAGE / "/".join(parts)).with_suffix(".py").is_file():
        return True
    module = (PACKAGE / "/".join(parts[:-1])).with_suffix(".py")
    return module.is_file() and parts[-1] in re.findall(r"^(?:def |class )?(\w+)", module.read_text(), re.MULTILINE)


def test_measured_rows_of_the_readme_are_rows_of_the_benchmarks() -> None:
    rows = re.findall(r"^\| .*\| (.+/s.*|.+ ms.*) \|$", (ROOT / "README.md").read_text(), re.MULTILINE)
    measured = (ROOT / "benchmarks" / "README.md").read_text()

    assert len(rows) > 5
    none_of((row for row in rows if row not in measured), "benchmarks/README.md has no such row")


def test_region_is_the_same_everywhere() -> None:
    """The local stack, commands without a region, staging and sample events. Production is an example of another."""
    regions = re.compile(r"\b(?:us|eu|ap|sa|ca|me|af)-[a-z]+-\d\b")
    files = [ROOT / "Makefile", *(ROOT / "events").glob("*.json")]
    config = tomllib.loads((ROOT / "samconfig.toml").read_text())
    deployed = {stage: config[stage]["deploy"]["parameters"]["region"] for stage in ("staging", "production")}

    assert {region for file in files for region in regions.findall(file.read_text())} == {REGION}
    assert deployed == {"staging": REGION, "production": "me-central-1"}
    checked = re.findall(r"^regions: \[(.*)\]$", (ROOT / ".cfnlintrc").read_text(), re.MULTILINE)
    assert checked == [", ".join(deployed.values())]


@pytest.fixture
def look(tmp_path: Path) -> Path:
    """A checkout with `local.look` and a running stack's stack.json."""
    (tmp_path / "local").mkdir()
    for name in ("__init__.py", "look.py"):
        (tmp_path / "local" / name).write_bytes((ROOT / "local" / name).read_bytes())
    (tmp_path / ".local").mkdir()
    stack = {"tokens": {"JAQPOT": {"player": "a-token", "staff": "another"}}, "base_url": "http://127.0.0.1:1"}
    (tmp_path / ".local" / "stack.json").write_text(json.dumps(stack))
    return tmp_path


@pytest.mark.parametrize(
    ("names", "shown", "told"),
    [
        ("tokens JAQPOT player", "a-token\n", ""),
        ("tokens JAQPOT plyer", "", "stack.json tokens JAQPOT has no 'plyer': it has player, staff.\n"),
        ("token JAQPOT", "", "stack.json has no 'token': it has tokens, base_url.\n"),
        ("base_url x", "", "stack.json base_url has no 'x': it has a value without names.\n"),
    ],
)
def test_look_shows_a_value_or_the_names_there_are(look: Path, names: str, shown: str, told: str) -> None:
    looked = run("-m", "local.look", *names.split(), folder=look)

    assert (looked.stdout, looked.stderr, looked.returncode) == (shown, told, 1 if told else 0)


def test_look_says_that_no_stack_runs(look: Path) -> None:
    (look / ".local" / "stack.json").unlink()

    looked = run("-m", "local.look", "tokens", folder=look)

    assert (looked.stdout, looked.returncode) == ("", 1)
    assert "start one with `make up`" in looked.stderr


@pytest.mark.parametrize(
    ("base_url", "told"),
    [
        ("127.0.0.1:8080", "--base-url must begin with http:// or https://"),
        ("http://127.0.0.1:1", "No case was tried: nothing answers at --base-url"),
    ],
)
def test_conformance_kit_says_in_a_sentence_that_no_case_can_be_tried(base_url: str, told: str) -> None:
    tried = run("-m", "tests.conformance", "--base-url", base_url, "--secret", "x")

    assert (tried.stdout, tried.returncode) == ("", 2)
    assert told in tried.stderr
    assert "Traceback" not in tried.stderr


def wings() -> dict[str, tuple[int, bool]]:
    """The floor of each wing by the import contract, and whether the wing is planned (in parentheses)."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = (one["layers"] for one in contracts if one.get("containers") == ["causeway"])
    return {
        wing.strip("()"): (floor, wing.startswith("("))
        for floor, layer in enumerate(reversed(layers), 1)
        for wing in layer.split(" | ")
    }


def test_wing_that_exists_is_not_planned() -> None:
    package = ROOT / "layers" / "causeway" / "python" / "causeway"
    exist = {wing for wing in wings() if (package / wing).is_dir() or (package / f"{wing}.py").is_file()}
    planned = {wing for wing, (_, is_planned) in wings().items() if is_planned}

    assert exist & planned == set(), "remove the parentheses in pyproject.toml, 'the wings'"


def test_every_wing_is_in_the_table_of_floors() -> None:
    text = (ROOT / "docs" / "development.md").read_text()
    planned = re.search(r"^Planned wings: (.*?)\n\n", text, re.MULTILINE | re.DOTALL)
    assert planned is not None
    rows = [(floor, names, False) for floor, names in re.findall(r"^\| (\d+) \| ([^|]+) \|", text, re.MULTILINE)]
    rows += [(floor, names, True) for floor, names in re.findall(r"floor (\d+) ([^;.]+)", planned[1])]
    described = {wing: (int(floor), later) for floor, names, later in rows for wing in re.findall(r"`(\w+)`", names)}

    assert described == wings(), "docs/development.md, Wings, and the contract in pyproject.toml differ"
